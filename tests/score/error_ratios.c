#include "error_ratios.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void error_ratios_add(struct error_ratios *r, double result, double truth, double tolerance,
                      const char *where)
{
    double error = fabs(result - truth);
    if (!(error <= tolerance))
        fail_msg("%s: %.9g where %.9g is right: off by %.3g, %.3g allowed", where, result, truth, error,
                 tolerance);
    if (error == 0.0) {
        r->n_exact++;
        return;
    }
    double ratio = error / tolerance;
    r->largest = fmax(r->largest, ratio);
    buffer_append(&r->values, &ratio, sizeof ratio);
    assert_false(r->values.failed);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double error_ratios_median(struct error_ratios *r)
{
    size_t n = r->values.n_bytes / sizeof(double);
    double *values = (double *)(void *)r->values.bytes;
    if (n == 0)
        return 0.0;
    qsort(values, n, sizeof *values, ascending);
    return values[n / 2];
}

void error_ratios_free(struct error_ratios *r)
{
    buffer_free(&r->values);
}
