/* A random order in which to visit nodes (Fisher and Yates). */
#ifndef LEARN_VISIT_ORDER_H
#define LEARN_VISIT_ORDER_H

#include "base/rng.h"

static inline void visit_order(uint32_t *order, uint32_t n, struct rng *rng)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = (uint32_t)rng_below(rng, i + 1ull);
        order[i] = order[k];
        order[k] = i;
    }
}

#endif
