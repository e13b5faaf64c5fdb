/* When the requests of an open loop are due. */
#ifndef BENCH_ARRIVALS_H
#define BENCH_ARRIVALS_H

#include "base/rng.h"

#include <stdint.h>

enum arrivals_kind {
    ARRIVALS_CONSTANT, /* evenly spaced */
    ARRIVALS_POISSON,  /* independent users: exponentially distributed gaps */
};

struct arrivals {
    enum arrivals_kind kind;
    double gap_ns; /* mean */
    double due_ns; /* of the next arrival, since the start */
    struct rng rng;
};

/* rate: arrivals per second, above 0. */
struct arrivals arrivals_at_rate(enum arrivals_kind kind, double rate, struct rng rng);

/* Starts anew at time 0, with the random numbers going on. */
void arrivals_restart(struct arrivals *a);

/* When the next request is due, in ns since the start. */
uint64_t arrivals_due_ns(const struct arrivals *a);
void arrivals_advance(struct arrivals *a);

#endif
