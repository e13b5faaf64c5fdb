/* The scoring kernels: remap, embedding-bag and dot product in one launch, one query a work-item.
 *
 *   collide_score_v1   scores[j] = logit_scale * < bag(query), row(remap[items[j]]) > + bias[items[j]]
 *   collide_rows_v1    scores[q, r] = logit_scale * < bag(query q), row(r) >, for every row
 *   collide_bag_v1     scores[q, d] = bag(query q)[d]
 *
 * All three have one list of arguments: the model's tables, then the batch. */
#include "types.h"
#include "embedding.h"

#define ARGUMENTS                                                                                                     \
    __global const device_params *params,          /* (1) */                                                          \
        __global const uint *remap,                /* (n_items + 1) */                                                \
        __global const row_value *rows,            /* (n_rows, DIM) */                                                \
        __global const float *scales,              /* (n_rows) */                                                     \
        __global const float *weights,             /* (n_items + 1) */                                                \
        __global const float *bias,                /* (n_items + 1) */                                                \
        __global const uint *user_offsets,         /* (n_users + 2) */                                                \
        __global const uint *user_history,         /* (user_offsets[n_users + 1]) */                                  \
        __global const device_query *queries,      /* (n_queries) */                                                  \
        __global const uint *history,              /* the queries' given histories */                                 \
        __global const float *history_weights,     /* one a given history item */                                     \
        __global const uint *items,                /* the queries' candidates */                                      \
        __global float *scores

/* One local size everywhere, since PoCL compiles a kernel again for each. */
#define KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void

static item_space items_of(uint n_ids, __global const uint *remap, __global const row_value *rows,
                           __global const float *scales, __global const float *weights,
                           __global const float *bias)
{
    item_space space = {n_ids, remap, rows, scales, weights, bias};
    return space;
}

#define ITEM_SPACE items_of(params->n_items, remap, rows, scales, weights, bias)

/* The pooled bag of a query, times factor. */
static void query_bag(bag *b, const device_query *q, const item_space *space, uint n_users,
                      __global const uint *user_offsets, __global const uint *user_history,
                      __global const uint *history, __global const float *history_weights, float factor)
{
    for (uint k = 0; k < N_VECS; k++)
        b->sum[k] = (floatv)(0.0f);
    b->weight = 0.0f;
    if (q->user < n_users)
        bag_add(b, space, user_history, 0, user_offsets[q->user], user_offsets[q->user + 1]);
    bag_add(b, space, history, history_weights, q->history_begin, q->history_end);
    bag_pool(b, factor);
}

#define QUERY_BAG(b, q, space, factor)                                                                                \
    query_bag(b, q, space, params->n_users, user_offsets, user_history, history, history_weights, factor)

KERNEL collide_score_v1(ARGUMENTS)
{
    item_space space = ITEM_SPACE;
    device_query q = queries[get_global_id(0)];
    bag b;
    prefetch_start(&space, items, q.items_begin, q.items_end);
    QUERY_BAG(&b, &q, &space, params->logit_scale);
    for (uint j = q.items_begin; j < q.items_end; j++) {
        prefetch_ahead(&space, items, j, q.items_end);
        uint id = known_or_last(items[j], space.n_ids);
        scores[j] = bag_dot_row(&b, &space, space.remap[id]) + id_bias(&space, id);
    }
}

KERNEL collide_rows_v1(ARGUMENTS)
{
    item_space space = ITEM_SPACE;
    size_t i = get_global_id(0);
    device_query q = queries[i];
    bag b;
    QUERY_BAG(&b, &q, &space, params->logit_scale);
    for (uint row = 0; row < params->n_rows; row++)
        scores[i * params->n_rows + row] = bag_dot_row(&b, &space, row);
}

KERNEL collide_bag_v1(ARGUMENTS)
{
    item_space space = ITEM_SPACE;
    size_t i = get_global_id(0);
    device_query q = queries[i];
    bag b;
    QUERY_BAG(&b, &q, &space, 1.0f);
    for (uint k = 0; k < N_VECS; k++)
        STORE(b.sum[k], k, scores + i * DIM);
}
