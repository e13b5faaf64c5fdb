#include "figures.h"

#include <math.h>
#include <stdlib.h>

bool quantile_is_known(uint64_t n, double q)
{
    /* 1 - 0.999 is a little above 0.001 in binary; that must not cost a sample. */
    return (double)n * (1.0 - q) >= 10.0 - 1e-6;
}

double figure_quantile(const struct histogram *h, double q)
{
    return quantile_is_known(h->n, q) ? (double)histogram_quantile(h, q) : NAN;
}

double figure_quantile_us(const struct load_stats *s, double q)
{
    return figure_quantile(&s->latency_ns, q) * 1e-3;
}

double figure_mean_us(const struct load_stats *s)
{
    return s->latency_ns.n ? histogram_mean(&s->latency_ns) * 1e-3 : NAN;
}

double figure_max_us(const struct load_stats *s)
{
    return s->latency_ns.n ? (double)s->latency_ns.max * 1e-3 : NAN;
}

double figure_rate(const struct load_stats *s)
{
    return s->elapsed_ns ? (double)s->latency_ns.n * 1e9 / (double)s->elapsed_ns : 0.0;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread figure_spread(double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(values[i]))
            return (struct spread){NAN, NAN, NAN};
    qsort(values, n, sizeof *values, compare_doubles);
    double median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    return (struct spread){values[0], median, values[n - 1]};
}
