/* The points at which a distribution is drawn: as HdrHistogram, a number of them each time the distance to
 * 100% halves, up to the largest value. */
#ifndef BENCH_PERCENTILES_H
#define BENCH_PERCENTILES_H

#include "base/histogram.h"

#include <stdbool.h>

struct percentile {
    double quantile; /* in [0, 1] */
    uint64_t value;
};

struct percentiles {
    const struct histogram *histogram; /* borrowed */
    unsigned ticks_per_half;
    double next_quantile; /* above 1: none is left */
};

/* None of an empty histogram. */
struct percentiles percentiles_of(const struct histogram *h, unsigned ticks_per_half);

/* The first is the least value at 0, the last the largest at 1. */
bool percentiles_next(struct percentiles *p, struct percentile *out);

#endif
