/* The pipeline form, for FPGAs: one work-item takes the queries of a batch in turn. Lists are read in bursts,
 * a tile at a time: its ids, their mapping entries, their rows. */
#ifndef KERNELS_PIPELINE_H
#define KERNELS_PIPELINE_H

#include "tile.h"

/* Bags that additions take turns in, so that none has to wait for the one before it. */
#define N_PARTIAL 8

/* A loop that is to take a turn every cycle. */
#if defined(__xilinx__)
#define PIPELINED __attribute__((xcl_pipeline_loop(1)))
#elif defined(INTELFPGA_CL)
#define PIPELINED _Pragma("ii 1")
#else
#define PIPELINED
#endif

static void bag_merge(bag *b, const bag *part)
{
    UNROLL
    for (uint k = 0; k < N_VECS; k++)
        b->sum[k] = POOL(b->sum[k], part->sum[k]);
    for (uint c = 0; c < CHUNKS; c++)
        b->offset[c] += part->offset[c];
    b->weight += part->weight;
    b->n += part->n;
}

/* parts += n ids, each with its own weight and with weights[j]. */
static void bag_add_tile(bag *parts, const tables *t, const uint *ids, const float *weights, uint n)
{
    tile s;
    PIPELINED
    for (uint j = 0; j < n; j++) {
        bag *part = &parts[j % N_PARTIAL];
        uint id = known_or_unknown(t, ids[j]);
        float weight = id_weight(t, id) * weights[j];
        part->weight += fabs(weight);
        part->n++;
        TILE_SET_BAGGED(&s, j, t, id, weight, part);
    }
    PIPELINED
    for (uint j = 0; j < n; j++) {
        bag *part = &parts[j % N_PARTIAL];
        UNROLL
        for (uint k = 0; k < N_VECS; k++)
            part->sum[k] = POOL(part->sum[k], tile_bagged_vector(&s, j, t, k));
    }
}

/* bag += the ids of a list, an expression of j as its weight is. */
#define BAG_ADD_LIST(b, t, id_of_j, weight_of_j, begin, end)                                                 \
    do {                                                                                                     \
        bag parts[N_PARTIAL];                                                                                \
        uint ids[TILE];                                                                                      \
        float weights[TILE];                                                                                 \
        for (uint p = 0; p < N_PARTIAL; p++)                                                                 \
            bag_clear(&parts[p]);                                                                            \
        for (uint first = (begin); first < (end); first += TILE) {                                           \
            uint n = min((end)-first, (uint)TILE);                                                           \
            BEAT(t, 0);                                                                                      \
            PIPELINED                                                                                        \
            for (uint j = first; j < first + n; j++) {                                                       \
                ids[j - first] = (id_of_j);                                                                  \
                weights[j - first] = (weight_of_j);                                                          \
            }                                                                                                \
            bag_add_tile(parts, t, ids, weights, n);                                                         \
        }                                                                                                    \
        for (uint p = 0; p < N_PARTIAL; p++)                                                                 \
            bag_merge(b, &parts[p]);                                                                         \
    } while (0)

/* bag += positions [begin, end) of all stored histories. */
static void bag_add_stored(bag *b, const tables *t, uint begin, uint end)
{
    BAG_ADD_LIST(b, t, AT(USER_HISTORY, t->user_history, j), 1.0f, begin, end);
}

/* bag += the history given with a query. */
static void bag_add_given(bag *b, const tables *t, const batch *a, const device_query *q)
{
    const id_list l = history_of(a, q);
    BAG_ADD_LIST(b, t, listed_id(t, &l, j), a->history_weights[j], l.begin, l.end);
}

/* The scores of n candidates. */
static void score_tile(const bag *b, const tables *t, const uint *ids, uint n, __global float *scores)
{
    tile s;
    float biases[TILE];
    PIPELINED
    for (uint j = 0; j < n; j++) {
        uint id = known_or_unknown(t, ids[j]);
        float offset[CHUNKS] = {0.0f};
        tile_set(&s, j, t, id, 1.0f, offset);
        biases[j] = score_bias(t, id) + scored_offset(b->offset, offset);
    }
    PIPELINED
    for (uint j = 0; j < n; j++) {
        floatv products = b->sum[0] * tile_scored_vector(&s, j, t, 0);
        UNROLL
        for (uint k = 1; k < N_VECS; k++)
            products += b->sum[k] * tile_scored_vector(&s, j, t, k);
        scores[j] = HSUM(products) + biases[j];
    }
}

/* On-board memory has latency enough for bursts, not caches to fill. */
static void items_ready(const tables *t, const batch *a, const device_query *q)
{
}

/* The scores of a query's candidates. */
static void score_items(const bag *b, const tables *t, const batch *a, const device_query *q)
{
    const id_list l = items_of(a, q);
    uint ids[TILE];
    for (uint first = l.begin; first < l.end; first += TILE) {
        uint n = min(l.end - first, (uint)TILE);
        BEAT(t, 0);
        PIPELINED
        for (uint j = 0; j < n; j++)
            ids[j] = listed_id(t, &l, first + j);
        score_tile(b, t, ids, n, a->scores + first);
    }
}

#endif
