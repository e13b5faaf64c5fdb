/* The hash that mappings are computed by: that of model/mapping.h. */
#ifndef LEARN_HASHING_H
#define LEARN_HASHING_H

#include "base/rng.h"

/* Functions from ids to n_rows rows, one for each lookup. */
struct hash_family {
    uint64_t seed;
    uint32_t n_lookups;
    uint32_t n_rows;
};

static inline uint32_t hash_row(const struct hash_family *h, uint32_t id, uint32_t lookup)
{
    /* splitmix64 adds its constant once before it mixes. */
    uint64_t x = (uint64_t)id * h->n_lookups + lookup + 1 + (h->seed - 1) * 0x9e3779b97f4a7c15u;
    return (uint32_t)((rng_splitmix64(&x) >> 32) * h->n_rows >> 32);
}

#endif
