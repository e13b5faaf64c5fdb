/* Queries with external ids -> the dense arrays that kernels read, written straight into a slot's memory. */
#ifndef SCORE_FILL_H
#define SCORE_FILL_H

#include "collide/scorer.h"
#include "score/kernels.h"
#include "score/model_handle.h"

/* How many entries the regions of a slot hold, or how many are used. */
struct fill_capacity {
    size_t n_queries;
    size_t n_history; /* ids given with queries, of any space */
    size_t n_items;   /* candidates, or items left out of a top-k */
    size_t n_vectors; /* floats, as the two below */
    size_t n_row_scores;
    size_t n_scores;
};

/* A slot's regions, and how far they are filled. */
struct fill {
    const struct collide_model *model;
    device_query *queries;
    uint32_t *history;
    float *history_weights;
    uint32_t *items;
    /* NULL: the host looks keys up; else items with 64-bit keys are left to the device. */
    uint64_t *history_keys;
    uint64_t *item_keys;
    const float *user_vectors; /* (n_users, dim): sums of users' bags; NULL: they are summed up anew */
    float *vectors;            /* (n_queries, dim), where there are user_vectors */
    const void
        *shared; /* (n_shared_bytes): numbers in it are left to the device where they are; NULL: none */
    size_t n_shared_bytes;
    struct fill_capacity used;
    struct collide_counts counts; /* but for items that the device looks up: see fill_count_unknown */
};

/* The next candidate to place: an item of a query. */
struct fill_position {
    size_t query;
    size_t item;
};

/* Whether a query can be scored with this model at all; `number` names it in the message. */
enum collide_status fill_check(const struct collide_model *model, const struct collide_query *query,
                               size_t number, struct collide_error *err);

/* Ids that a query brings for its bag. */
size_t fill_n_history(const struct collide_model *model, const struct collide_query *query);

/* Adds queries from *at on until one does not fit, and moves *at behind what was added. A query with many
 * candidates is cut into several of at most max_items, its history repeated. Every history fits
 * capacity.n_history. */
void fill_queries(struct fill *f, const struct collide_query *queries, size_t n_queries,
                  const struct fill_capacity *capacity, size_t max_items, struct fill_position *at);

/* Adds the histories of one query, without candidates. */
void fill_histories(struct fill *f, const struct collide_query *query);

/* Adds a top-k query: its histories, what it leaves out, and room for n_parts * k hits. Its ids are looked up
 * here. */
void fill_topk(struct fill *f, const struct collide_topk_query *query, uint32_t n_parts);

/* Where items may be left to the device: unknown ones among those of queries [begin, end), which are scored.
 * Elsewhere they are counted already: 0. */
uint64_t fill_count_unknown(const struct fill *f, size_t begin, size_t end);

#endif
