/* A histogram of durations that one thread adds to and any may read meanwhile. Up to a microsecond it has
 * steps of 125 ns; every doubling above, up to 16.8 s, is cut into 8, so that a bucket's edges are at most an
 * eighth apart, and 1, 2, 4, ... microseconds are among them. */
#ifndef OBSERVE_DURATIONS_H
#define OBSERVE_DURATIONS_H

#include <stdint.h>

enum {
    DURATIONS_STEPS = 8,      /* buckets of a doubling */
    DURATIONS_DOUBLINGS = 24, /* above the first microsecond */
    DURATIONS_N_EDGES = DURATIONS_STEPS * (DURATIONS_DOUBLINGS + 1),
    DURATIONS_N_BUCKETS = DURATIONS_N_EDGES + 1, /* the last: longer than any edge */
};

/* All zero is empty. */
struct durations {
    uint64_t sum_ns;
    uint64_t counts[DURATIONS_N_BUCKETS]; /* of more than the edge before, up to and with its own */
};

/* n that took so long each. */
void durations_add(struct durations *d, uint64_t ns, uint64_t n);

/* Adds what from holds just now, which its writer may be adding to. */
void durations_merge(struct durations *into, const struct durations *from);

/* The longest that bucket i < DURATIONS_N_EDGES counts. */
uint64_t durations_edge_ns(unsigned i);

uint64_t durations_n(const struct durations *d);

/* The duration that a share q in [0, 1] does not exceed, as if a bucket's were spread evenly over it; 0 when
 * empty, the last edge at the most. */
double durations_quantile_ns(const struct durations *d, double q);

#endif
