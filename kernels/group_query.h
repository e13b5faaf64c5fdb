/* What becomes of one query, or of a part of one, in the group form. */
#ifndef KERNELS_GROUP_QUERY_H
#define KERNELS_GROUP_QUERY_H

#include "group.h"
#include "topk.h"

#if defined(FORM_GROUP)

/* As query_sum. */
static void group_query_sum(const tables *t, const batch *a, const device_query *q, __local group_memory *m,
                            lane_bag *b)
{
    uint begin, end;
    for (uint v = 0; v < LANE_VECS; v++)
        b->sum[v] = (floatv)(POOL_NOTHING);
    for (uint c = 0; c < CHUNKS; c++)
        b->offset[c] = 0.0f;
    b->weight = 0.0f;
    b->n = 0;
    stored_history(t, q, &begin, &end);
    group_add_stored(b, t, m, begin, end);
    const id_list given = history_of(a, q);
    group_add_given(b, t, a, m, &given);
    group_finish(b, t, m);
}

/* As query_bag. */
static void group_query_bag(const tables *t, const batch *a, size_t i, const device_query *q,
                            __local group_memory *m, lane_bag *b)
{
    const bool is_given = q->flags & QUERY_VECTOR;
    device_query pooled = *q;
    if (is_given) {
        pooled.user = t->params.n_users;
        pooled.history_end = pooled.history_begin;
    }
    group_query_sum(t, a, &pooled, m, b);
    if (is_given)
        FOR_EACH_VECTOR (v, k)
            b->sum[v] = LOAD_VEC(k, a->vectors + i * DIM);
    float factor = group_factor(b, m);
    if (!is_sum(q))
        factor = 1.0f;
    factor *= t->params.logit_scale;
    for (uint v = 0; v < LANE_VECS; v++)
        b->sum[v] *= factor;
    group_fold(b, t, m);
}

/* The sum of entry get_local_id(0)'s products, which the lanes of a team have stored. */
static float group_products(const __local group_memory *m)
{
    float sum = 0.0f;
    for (uint lane = 0; lane < TEAM; lane++)
        sum += m->values[(uint)get_local_id(0) * PRODUCTS + lane];
    return sum;
}

static void score_query_by_group(const tables *t, const batch *a, size_t i, __local group_memory *m)
{
    const uint lane = (uint)get_local_id(0);
    device_query q = a->queries[i];
    const id_list l = items_of(a, &q);
    lane_bag b;
    group_query_bag(t, a, i, &q, m, &b);
    for (uint first = l.begin; first < l.end; first += TILE) {
        uint n = min(l.end - first, (uint)TILE);
        float bias = 0.0f, offset[CHUNKS] = {0.0f};
        if (lane < n) {
            uint id = known_or_unknown(t, listed_id(t, &l, first + lane));
            tile_set(&m->tile, lane, t, id, 1.0f, offset);
            bias = score_bias(t, id) + scored_offset(b.offset, offset);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint j = MY_TEAM; j < n; j += N_TEAMS) {
            float product = 0.0f;
            FOR_EACH_VECTOR (v, k)
                product += HSUM(b.sum[v] * tile_scored_vector(&m->tile, j, t, k));
            m->values[j * PRODUCTS + LANE] = product;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < n)
            a->scores[first + lane] = group_products(m) + bias;
    }
}

static void bag_query_by_group(const tables *t, const batch *a, size_t i, __local group_memory *m)
{
    device_query q = a->queries[i];
    __global float *out = a->scores + q.scores_begin;
    lane_bag b;
    group_query_sum(t, a, &q, m, &b);
    float factor = group_factor(&b, m);
    if (SHARDED || q.flags & QUERY_SUM)
        factor = 1.0f;
    if (MY_TEAM == 0)
        FOR_EACH_VECTOR (v, k)
            STORE(b.sum[v] * factor, k, out);
    if (get_local_id(0) == 0)
        out[DIM] = b.weight;
}

/* As score_rows. */
static void score_rows_by_group(const tables *t, const batch *a, size_t g, __local group_memory *m)
{
#if SCORED_BY_ROWS
    const uint lane = (uint)get_local_id(0);
    uint n_parts = parts_of(a), part = (uint)(g % n_parts), n_rows = n_rows_here(t);
    size_t i = g / n_parts;
    device_query q = a->queries[i];
    lane_bag b;
    if (q.k == 0)
        return;
    group_query_bag(t, a, i, &q, m, &b);
    const uint end = part_begin(n_rows, part + 1, n_parts);
    for (uint chunk = 0; chunk < CHUNKS; chunk++)
        for (uint first = part_begin(n_rows, part, n_parts); first < end; first += GROUP) {
            for (uint row = first + MY_TEAM; row < min(end, first + GROUP); row += N_TEAMS) {
                float product = 0.0f;
                FOR_EACH_VECTOR (v, k)
                    if (CHUNK_OF_VEC(k) == chunk)
                        product += HSUM(b.sum[v] * stored_vector(row_values(t, row), VEC_OF_CHUNK(k)));
                m->values[(row - first) * PRODUCTS + LANE] = product;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            uint row = first + lane;
            if (row < end)
                scores_of_rows(t, a, i)[(size_t)chunk * n_rows + row] =
                    group_products(m) * row_scale(t, row) + scored_row_offset(b.offset[chunk], t, row);
            barrier(CLK_LOCAL_MEM_FENCE);
        }
#endif
}

#endif
#endif
