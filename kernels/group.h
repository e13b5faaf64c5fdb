/* The group form, for GPUs: a work-group takes a query.
 *
 * Its lanes are cut into teams as wide as a row's vectors: a team reads a row at once, side by side. A tile
 * of ids is mapped to rows by all lanes, one id a lane; then the teams take the tile's entries in turn. Lane
 * n of every team holds vectors n, n + TEAM, ... of the bag.
 *
 * All lanes pass every barrier, and none stands in a branch: PoCL 3 loses variables there. */
#ifndef KERNELS_GROUP_H
#define KERNELS_GROUP_H

#include "tile.h"

#if defined(FORM_GROUP)

#if N_VECS > 8
#define TEAM 16
#elif N_VECS > 4
#define TEAM 8
#elif N_VECS > 2
#define TEAM 4
#else
#define TEAM N_VECS
#endif
#if GROUP % TEAM != 0
#error "GROUP has to be a multiple of 16"
#endif
#define N_TEAMS   (GROUP / TEAM)
#define LANE_VECS ((N_VECS + TEAM - 1) / TEAM)

/* A lane's place, and its vectors: the v-th of them is vector k of the bag. */
#define LANE    ((uint)get_local_id(0) % TEAM)
#define MY_TEAM ((uint)get_local_id(0) / TEAM)
#define FOR_EACH_VECTOR(v, k)                                                                                \
    _Pragma("unroll") for (uint v = 0, k = LANE; v < LANE_VECS; v++, k += TEAM) if (k < N_VECS)

/* Local memory: one float more than a row of products has keeps the columns in different banks. */
#define PRODUCTS (TEAM + 1)
typedef struct {
    tile tile;
    float values[GROUP * (PRODUCTS > VEC ? PRODUCTS : VEC)];
} group_memory;

/* What a lane holds of a bag. */
typedef struct {
    floatv sum[LANE_VECS];
    float offset[CHUNKS];
    float weight;
    uint n;
} lane_bag;

/* The sum over the first n_lanes lanes. */
static float group_sum(__local group_memory *m, float value, uint n_lanes)
{
    m->values[get_local_id(0)] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    float sum = m->values[0];
    for (uint lane = 1; lane < n_lanes; lane++)
        sum += m->values[lane];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

/* The v-th vector of each lane, over all teams. */
static floatv teams_pool(__local group_memory *m, floatv vector)
{
    const uint lane = get_local_id(0);
    STORE(vector, lane, m->values);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint column = lane; column < TEAM * VEC; column += GROUP) {
        float pooled = m->values[column];
        for (uint team = 1; team < N_TEAMS; team++)
            pooled = POOL(pooled, m->values[team * TEAM * VEC + column]);
        m->values[column] = pooled;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    vector = LOAD_VEC(LANE, m->values);
    barrier(CLK_LOCAL_MEM_FENCE);
    return vector;
}

/* bag += the first n entries of the tile. */
static void group_add_tile(lane_bag *b, const tables *t, __local group_memory *m, uint n)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint j = MY_TEAM; j < n; j += N_TEAMS)
        FOR_EACH_VECTOR (v, k)
            b->sum[v] = POOL(b->sum[v], tile_bagged_vector(&m->tile, j, t, k));
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* Entry get_local_id(0) of the tile becomes an id that is to be added. */
static void group_set(lane_bag *b, const tables *t, __local group_memory *m, uint any_id, float weight)
{
    uint id = known_or_unknown(t, any_id);
    weight *= id_weight(t, id);
    b->weight += fabs(weight);
    TILE_SET_BAGGED(&m->tile, (uint)get_local_id(0), t, id, weight, b);
}

static void group_add_stored(lane_bag *b, const tables *t, __local group_memory *m, uint begin, uint end)
{
    for (uint first = begin; first < end; first += TILE) {
        uint j = first + (uint)get_local_id(0);
        if (j < end)
            group_set(b, t, m, AT(USER_HISTORY, t->user_history, j), 1.0f);
        group_add_tile(b, t, m, min(end - first, (uint)TILE));
    }
    b->n += end - begin;
}

static void group_add_given(lane_bag *b, const tables *t, const batch *a, __local group_memory *m,
                            const id_list *l)
{
    for (uint first = l->begin; first < l->end; first += TILE) {
        uint j = first + (uint)get_local_id(0);
        if (j < l->end)
            group_set(b, t, m, listed_id(t, l, j), a->history_weights[j]);
        group_add_tile(b, t, m, min(l->end - first, (uint)TILE));
    }
    b->n += l->end - l->begin;
}

/* The lanes' parts become the bag's sum, every team holding all of it. */
static void group_finish(lane_bag *b, const tables *t, __local group_memory *m)
{
#if LINEAR && defined(SCALE_ROW_OFFSET)
    for (uint c = 0; c < CHUNKS; c++)
        b->offset[c] = group_sum(m, b->offset[c], GROUP);
#endif
#if defined(POOL_MEAN)
    b->weight = group_sum(m, b->weight, GROUP);
#endif
    for (uint v = 0; v < LANE_VECS; v++)
        b->sum[v] = teams_pool(m, b->sum[v]);
    FOR_EACH_VECTOR (v, k)
        b->sum[v] = finished_vector(b->sum[v], t, k, b->offset, b->n);
}

/* As bag_factor. */
static float group_factor(const lane_bag *b, __local group_memory *m)
{
#if defined(POOL_MEAN)
    return mean_factor(b->weight);
#elif defined(POOL_NORMALISED)
    float squares = 0.0f;
    FOR_EACH_VECTOR (v, k)
        squares += HSUM(b->sum[v] * b->sum[v]);
    return length_factor(group_sum(m, squares, TEAM));
#else
    return 1.0f;
#endif
}

/* As bag_fold. */
static void group_fold(lane_bag *b, const tables *t, __local group_memory *m)
{
#if SCORED_BY_ROWS && defined(SCALE_ROW_OFFSET)
    for (uint c = 0; c < CHUNKS; c++) {
        float total = 0.0f;
        FOR_EACH_VECTOR (v, k)
            if (CHUNK_OF_VEC(k) == c)
                total += HSUM(b->sum[v]);
        b->offset[c] = group_sum(m, total, TEAM);
    }
#elif SCORED_BY_ROWS && defined(SCALE_DIM)
    FOR_EACH_VECTOR (v, k)
        b->sum[v] *= dim_scales(t, k);
#endif
}

#endif
#endif
