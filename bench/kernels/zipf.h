/* Zipf-distributed ranks without a table. */
#ifndef BENCH_ZIPF_H
#define BENCH_ZIPF_H

#include "base/rng.h"

/* A rank in [0, n), n > 0, drawn with a probability in proportion to (rank + 1)^-exponent, exponent > 0 and
 * not 1, by rejection-inversion (Hormann and Derflinger 1996). */
uint64_t zipf_draw(struct rng *rng, double exponent, uint64_t n);

#endif
