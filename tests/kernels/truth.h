/* What kernels are to compute, in double and straight from host/model/model.h's definition, and how far
 * single precision may be from it. */
#ifndef TESTS_TRUTH_H
#define TESTS_TRUTH_H

#include "setting.h"

struct near {
    double value, tolerance;
};

/* A query's bag as it is scored with, but for the scale to logits; owned. */
struct truth_bag {
    double *values, *tolerances; /* (dim) */
    struct near weight;
};

/* The bag's plain sum (what a shard gives), or pooled. */
enum truth_pooling { TRUTH_SUM, TRUTH_POOLED };

struct truth_bag truth_bag_create(const struct setting *s, const device_query *q, enum truth_pooling pooling);
void truth_bag_destroy(struct truth_bag *b);

/* The bag that a query is scored with: pooled, or the given vector, or the given sum, pooled. */
struct truth_bag truth_query_create(const struct setting *s, const device_query *q);

/* What a candidate scores; of shards, the first one adds the bias. */
struct near truth_score(const struct setting *s, const struct truth_bag *b, uint32_t entry);

/* What an item scores in top-k, which adds the bias wherever the item's row is. */
struct near truth_hit(const struct setting *s, const struct truth_bag *b, uint32_t item);

/* < chunk of the bag, row >, scaled; chunks are those of concatenated lookups, else there is one. */
struct near truth_row_score(const struct setting *s, const struct truth_bag *b, uint32_t row, uint32_t chunk);

#endif
