/* Queries with external ids -> the dense arrays that kernels read, written straight into a slot's memory. */
#ifndef SCORE_FILL_H
#define SCORE_FILL_H

#include "collide/scorer.h"
#include "score/kernels.h"
#include "score/model_handle.h"

/* How many entries the regions of a slot hold. */
struct fill_capacity {
    size_t n_queries;
    size_t n_history;
    size_t n_items;
    size_t n_scores;
};

/* A slot's regions, and how far they are filled. */
struct fill {
    device_query *queries;
    uint32_t *history;
    float *history_weights;
    uint32_t *items;
    struct fill_capacity used;
    struct collide_counts counts;
};

/* The next candidate to place: an item of a query. */
struct fill_position {
    size_t query;
    size_t item;
};

/* Whether a query can be scored with this model at all; `number` names it in the message. */
enum collide_status fill_check(const struct collide_model *model, const struct collide_query *query,
                               size_t number, struct collide_error *err);

/* Adds queries from *at on until one does not fit, and moves *at behind what was added. A query with many
 * candidates is cut into several of at most max_items, its history repeated. Every history fits
 * capacity.n_history. */
void fill_queries(const struct collide_model *model, const struct collide_query *queries, size_t n_queries,
                  const struct fill_capacity *capacity, size_t max_items, struct fill_position *at,
                  struct fill *out);

/* Adds the histories of one query, without candidates. */
void fill_histories(const struct collide_model *model, const struct collide_query *query, struct fill *out);

#endif
