/* What looking up an id touches of a model, on average over ids, and what the model's parts take. Tables
 * begin at a line's start, and their entries stand one behind the other. */
#ifndef MODEL_COST_H
#define MODEL_COST_H

#include "model/model.h"

struct lookup_cost {
    double lines; /* of 64 bytes */
    double bytes; /* that are needed of them */
};

/* Of one id: its mapping entries, its rows, these rows' scales (those of dimensions are folded into a bag
 * instead), its weight, its lookups' weights, its bias; each zero where the model has none. Of classes the
 * code counts, not their few values, which stay in the cache. */
struct lookup_cost cost_of_mapping(const struct model *m);
struct lookup_cost cost_of_rows(const struct model *m);
struct lookup_cost cost_of_scales(const struct model *m);
struct lookup_cost cost_of_weight(const struct model *m);
struct lookup_cost cost_of_lookup_weights(const struct model *m);
struct lookup_cost cost_of_bias(const struct model *m);

/* Mapping, lookup weights, rows and scales. */
struct lookup_cost cost_of_embedding(const struct model *m);

/* Of all rows and their scales. */
uint64_t bytes_of_rows(const struct model *m);

/* Of all spaces. */
uint64_t bytes_of_mapping(const struct model *m);

/* A f32 row of its own for every id instead, unknown ones included: what the model does without. */
uint64_t bytes_of_full_table(const struct model *m);

/* All that serving needs: rows, mapping, weights, biases, histories, keys. Of arrays but key offsets it looks
 * at whether they are there alone. n_stored: items in all stored histories. */
uint64_t bytes_of_model(const struct model *m, uint64_t n_stored);

#endif
