#include "percentiles.h"

#include <math.h>

static const double NONE_LEFT = 2;

struct percentiles percentiles_of(const struct histogram *h, unsigned ticks_per_half)
{
    return (struct percentiles){
        .histogram = h, .ticks_per_half = ticks_per_half, .next_quantile = h->n ? 0 : NONE_LEFT};
}

static double quantile_after(const struct percentiles *p)
{
    double left = 1 - p->next_quantile;
    if (left <= 0)
        return NONE_LEFT;
    /* Beyond the last sample but one there is only the largest. */
    if (left * (double)p->histogram->n <= 1)
        return 1;
    double halvings = floor(log2(1 / left) + 1e-9);
    return p->next_quantile + exp2(-halvings) / (2.0 * p->ticks_per_half);
}

bool percentiles_next(struct percentiles *p, struct percentile *out)
{
    if (p->next_quantile > 1)
        return false;
    double q = p->next_quantile;
    uint64_t value = q > 0 ? histogram_quantile(p->histogram, q) : p->histogram->min;
    if (q < 1 && value == p->histogram->max)
        q = 1;
    *out = (struct percentile){q, value};
    p->next_quantile = q;
    p->next_quantile = quantile_after(p);
    return true;
}
