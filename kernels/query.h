/* What becomes of one query, in one work-item: its bag, its candidates' scores. */
#ifndef KERNELS_QUERY_H
#define KERNELS_QUERY_H

#include "bag.h"
#include "tile.h"

#if defined(FORM_PIPELINE)
#include "pipeline.h"
#else
#include "item.h"
#endif

/* The stored history of a query's user: positions [begin, end) of all stored histories. */
static void stored_history(const tables *t, const device_query *q, uint *begin, uint *end)
{
    *begin = *end = 0;
    if (q->user < t->params.n_users) {
        *end = min(AT(USER_OFFSETS, t->user_offsets, q->user + 1), t->params.n_stored);
        *begin = min(AT(USER_OFFSETS, t->user_offsets, q->user), *end);
    }
}

/* Asks for the first ids of a stored history, which lies anywhere: what they name can be asked for only when
 * they are there. */
static void stored_ready(const tables *t, const device_query *q)
{
#if PREFETCH
    uint begin, end;
    if (q->flags & QUERY_VECTOR)
        return;
    stored_history(t, q, &begin, &end);
    end = min(end, begin + REMAP_AHEAD);
    for (uint j = begin; j < end; j += LINE_BYTES / sizeof(uint))
        PREFETCH_LINE(ENTRY(USER_HISTORY, t->user_history, j, 1));
    if (begin < end) /* it may end in one line more */
        PREFETCH_LINE(ENTRY(USER_HISTORY, t->user_history, end - 1, 1));
#endif
}

/* The sum that a query pools. */
INLINED void query_sum(const tables *t, const batch *a, const device_query *q, bag *b)
{
    uint begin, end;
    stored_history(t, q, &begin, &end);
    bag_clear(b);
    bag_add_stored(b, t, begin, end);
    bag_add_given(b, t, a, q);
    bag_finish(b, t);
}

/* Whether a query's bag is still to be pooled. */
static bool is_sum(const device_query *q)
{
    return !(q->flags & QUERY_VECTOR) || q->flags & QUERY_SUM;
}

/* The bag that query i is scored with: summed up or given, pooled unless it is given so; scaled to logits and
 * folded. */
INLINED void query_bag(const tables *t, const batch *a, size_t i, const device_query *q, bag *b)
{
    float factor = t->params.logit_scale;
    if (q->flags & QUERY_VECTOR) {
        b->weight = 0.0f;
        UNROLL
        for (uint k = 0; k < N_VECS; k++)
            b->sum[k] = LOAD_VEC(k, a->vectors + i * DIM);
    } else {
        query_sum(t, a, q, b);
    }
    if (is_sum(q))
        factor *= bag_factor(b);
    bag_multiply(b, factor);
    bag_fold(b, t);
}

static void score_query(const tables *t, const batch *a, size_t i)
{
    device_query q = a->queries[i];
    bag b;
    stored_ready(t, &q);
    items_ready(t, a, &q);
    query_bag(t, a, i, &q, &b);
    score_items(&b, t, a, &q);
}

/* Pooled, unless the sum is wanted; of a shard, the plain sum, for the host to add up and pool. */
static void bag_query(const tables *t, const batch *a, size_t i)
{
    device_query q = a->queries[i];
    __global float *out = a->scores + q.scores_begin;
    bag b;
    query_sum(t, a, &q, &b);
    if (!SHARDED && !(q.flags & QUERY_SUM))
        bag_multiply(&b, bag_factor(&b));
    UNROLL
    for (uint k = 0; k < N_VECS; k++)
        STORE(b.sum[k], k, out);
    out[DIM] = b.weight;
}

#endif
