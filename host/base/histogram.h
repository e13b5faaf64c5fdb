/* A log-linear histogram of durations (the idea of HdrHistogram): every power of two is cut into 128 equal
 * steps, so a percentile is off by less than 1/128 of itself. Fixed size, no allocation; one writer at a
 * time. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEP_BITS = 7, HISTOGRAM_N_BUCKETS = (64 - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS };

struct histogram {
    uint64_t n;
    uint64_t sum; /* of the recorded values */
    uint64_t min; /* exact; 0 when empty */
    uint64_t max; /* exact */
    uint64_t counts[HISTOGRAM_N_BUCKETS];
};

void histogram_reset(struct histogram *h);
void histogram_record(struct histogram *h, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The value that a share q in [0, 1] of the recorded ones does not exceed (the upper edge of its step, at
 * most max); 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double q);
double histogram_mean(const struct histogram *h);
double histogram_deviation(const struct histogram *h); /* standard; 0 when empty */

/* How many recorded values are in the value's step or below. */
uint64_t histogram_count_to(const struct histogram *h, uint64_t value);

#endif
