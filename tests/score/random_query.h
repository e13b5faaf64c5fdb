/* Random queries of every kind on a random model. */
#ifndef TESTS_RANDOM_QUERY_H
#define TESTS_RANDOM_QUERY_H

#include "base/arena.h"
#include "base/rng.h"
#include "collide/scorer.h"
#include "support/random_model.h"

/* How long the lists of a query may be. */
struct random_query_limits {
    size_t max_history;
    size_t max_items;
};

/* n queries in the arena: of a user, of a history with or without weights, of features, of all, of none; with
 * known and unknown ids, items that occur twice, weights of zero and below, and some whose histories cancel
 * out. */
struct collide_query *random_queries(const struct random_model *spec,
                                     const struct random_query_limits *limits, struct rng *rng, size_t n,
                                     struct arena *arena);

/* An id of n_ids, of items as of users; one in twelve is unknown. */
struct collide_id random_query_id(const struct random_model *spec, uint32_t n_ids, struct rng *rng);

/* += all ids of a query, and the unknown ones among them. */
void random_query_count(const struct collide_model *model, const struct collide_query *query,
                        struct collide_counts *counts);

#endif
