/* Drawing from a discrete distribution in constant time: Walker's alias method, built as by Vose (1991). */
#ifndef DATA_ALIAS_TABLE_H
#define DATA_ALIAS_TABLE_H

#include "base/rng.h"

#include <stdint.h>

struct alias_slot {
    float keep;     /* the share of this slot's draws that stay */
    uint32_t other; /* where the rest go */
};

/* slots: (n); weights: (n), not negative, their sum positive, overwritten; pending: (n), scratch. */
void alias_fill(struct alias_slot *slots, double *weights, uint32_t n, uint32_t *pending);

/* A number in [0, n). */
static inline uint32_t alias_draw(const struct alias_slot *slots, uint32_t n, struct rng *rng)
{
    uint32_t slot = (uint32_t)rng_below(rng, n);
    return rng_double(rng) < (double)slots[slot].keep ? slot : slots[slot].other;
}

#endif
