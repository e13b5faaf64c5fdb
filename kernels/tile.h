/* Ids by the tile: the forms for GPUs and FPGAs first map a tile of ids to their rows, then read the rows. */
#ifndef KERNELS_TILE_H
#define KERNELS_TILE_H

#include "bag.h"
#include "id_list.h"

#if defined(FORM_GROUP) || defined(FORM_PIPELINE)

#if defined(FORM_GROUP)
#define TILE       GROUP
#define TILE_SPACE __local
#else
#define TILE       32
#define TILE_SPACE __private
#endif

#define NO_ROW 0xffffffffu /* it is on another device */

typedef struct {
    uint rows[LOOKUPS][TILE];    /* among those that are here */
    float scales[LOOKUPS][TILE]; /* what the row's values are multiplied by */
#if !LINEAR
    float offsets[LOOKUPS][TILE]; /* what is added to them then */
    float weights[TILE];          /* of the ids; the scales of a linear bag have them in them */
#endif
} tile;

/* Entry j of a tile = weight * the rows of an id; offset: (CHUNKS), += what the rows' offsets add. */
static void tile_set(TILE_SPACE tile *s, uint j, const tables *t, uint id, float weight, float *offset)
{
    for (uint l = 0; l < LOOKUPS; l++) {
        uint row = row_of(t, id, l);
        bool is_here = row_is_here(t, &row);
        s->rows[l][j] = is_here ? row : NO_ROW;
        float factor = weight * lookup_weight(t, id, l);
        s->scales[l][j] = is_here ? factor * row_scale(t, row) : 0.0f;
#if !LINEAR
        s->offsets[l][j] = factor * row_offset(t, row);
#endif
#if defined(SCALE_ROW_OFFSET)
        if (is_here)
            offset[CHUNK(l)] += factor * row_offset(t, row);
#endif
    }
}

/* As tile_set, for an id that is to be added to the bag that b is a part of. */
#if LINEAR
#define TILE_SET_BAGGED(s, j, t, id, weight, b) tile_set(s, j, t, id, weight, (b)->offset)
#else
#define TILE_SET_BAGGED(s, j, t, id, weight, b)                                                              \
    do {                                                                                                     \
        tile_set(s, j, t, id, 1.0f, (b)->offset);                                                            \
        (s)->weights[j] = (weight);                                                                          \
    } while (0)
#endif

/* Vector k, of a row's, of lookup l of entry j. */
static floatv tile_row_vector(const TILE_SPACE tile *s, uint j, const tables *t, uint l, uint k)
{
#if SHARDED
    if (s->rows[l][j] == NO_ROW)
        return (floatv)(0.0f);
#endif
    return s->scales[l][j] * stored_vector(row_values(t, s->rows[l][j]), k);
}

/* Vector k, of a bag's, of the sum of entry j's rows, but for what bag_finish does. */
static floatv tile_sum_vector(const TILE_SPACE tile *s, uint j, const tables *t, uint k)
{
    const uint first = CHUNK_OF_VEC(k) * PART_LOOKUPS;
    floatv sum = tile_row_vector(s, j, t, first, VEC_OF_CHUNK(k));
    for (uint l = first + 1; l < first + PART_LOOKUPS; l++)
        sum += tile_row_vector(s, j, t, l, VEC_OF_CHUNK(k));
    return sum;
}

#if !LINEAR
/* Vector k of entry j's embedding. */
static floatv tile_embedding_vector(const TILE_SPACE tile *s, uint j, const tables *t, uint k)
{
    const uint first = CHUNK_OF_VEC(k) * PART_LOOKUPS;
    floatv value = (floatv)(0.0f);
    for (uint l = first; l < first + PART_LOOKUPS; l++) {
        uint row = s->rows[l][j];
        row_pointer values = row_values(t, row);
        value =
            combine(value, row_vector(t, values, VEC_OF_CHUNK(k), s->scales[l][j], s->offsets[l][j], k), l);
    }
    return value;
}
#endif

/* What entry j, set by TILE_SET_BAGGED, adds to vector k of a bag. */
static floatv tile_bagged_vector(const TILE_SPACE tile *s, uint j, const tables *t, uint k)
{
#if LINEAR
    return tile_sum_vector(s, j, t, k);
#else
    return s->weights[j] * tile_embedding_vector(s, j, t, k);
#endif
}

/* What the rows' offsets add to the product with a folded bag, `folded` being the bag's offset. */
static float scored_offset(const float *folded, const float *offset)
{
    float sum = 0.0f;
#if SCORED_BY_ROWS && defined(SCALE_ROW_OFFSET)
    for (uint c = 0; c < CHUNKS; c++)
        sum += folded[c] * offset[c];
#endif
    return sum;
}

/* What vector k of a folded bag is multiplied by for the product with entry j, set with weight 1. */
static floatv tile_scored_vector(const TILE_SPACE tile *s, uint j, const tables *t, uint k)
{
#if SCORED_BY_ROWS
    return tile_sum_vector(s, j, t, k);
#else
    return tile_embedding_vector(s, j, t, k);
#endif
}

#endif
#endif
