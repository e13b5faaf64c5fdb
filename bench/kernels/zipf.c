#include "zipf.h"

#include <math.h>

/* The integral of x^-s, and its inverse. */
static double integral(double x, double s)
{
    return (pow(x, 1.0 - s) - 1.0) / (1.0 - s);
}

static double integral_inverse(double y, double s)
{
    return pow(1.0 + y * (1.0 - s), 1.0 / (1.0 - s));
}

uint64_t zipf_draw(struct rng *rng, double s, uint64_t n)
{
    double low = integral(1.5, s) - 1.0, high = integral((double)n + 0.5, s);
    for (;;) {
        double u = high + rng_double(rng) * (low - high);
        double x = integral_inverse(u, s);
        double k = fmin(fmax(floor(x + 0.5), 1.0), (double)n);
        if (u >= integral(k + 0.5, s) - pow(k, -s))
            return (uint64_t)k - 1;
    }
}
