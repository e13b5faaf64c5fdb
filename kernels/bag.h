/* Rows as embeddings, and the embedding-bag over them. */
#ifndef KERNELS_BAG_H
#define KERNELS_BAG_H

#include "few_bits.h"
#include "mapping.h"

/* A chunk of an embedding is as long as a row: which one lookup l is of, and which one vector k; and which of
 * its chunk's vectors that is. */
#define CHUNKS     PARTS
#define CHUNK(l)   ((l) / PART_LOOKUPS)
#define CHUNK_VECS (N_VECS / CHUNKS)
#if CHUNKS > 1
#define CHUNK_OF_VEC(k) ((k) / CHUNK_VECS)
#define VEC_OF_CHUNK(k) ((k) % CHUNK_VECS)
#else
#define CHUNK_OF_VEC(k) 0
#define VEC_OF_CHUNK(k) (k)
#endif

/* A bag is linear in its rows unless rows are multiplied or the largest is taken: then the embedding of an id
 * has to be there before the bag sees it. */
#if defined(POOL_MAX) || defined(COMBINE_MULTIPLY)
#define LINEAR 0
#else
#define LINEAR 1
#endif

#if SHARDED && !LINEAR
#error "a bag that is not linear in its rows cannot be summed up from shards of them"
#endif

/* < bag, embedding > is a sum over rows unless rows are multiplied. */
#if defined(COMBINE_MULTIPLY)
#define SCORED_BY_ROWS 0
#else
#define SCORED_BY_ROWS 1
#endif

/* Row r of the table; row_begin is the first one here. */
static row_pointer row_values(const tables *t, uint row)
{
    return ENTRY(ROWS, t->rows, row, ROW_VALUES);
}

/* Vector k of a row, as stored. */
static floatv stored_vector(row_pointer values, uint k)
{
#if defined(ROWS_F16)
    return LOAD_ROW_HALF(k, values);
#elif defined(ROWS_I8)
    return TO_FLOAT(LOAD_ROW(k, values));
#elif defined(ROW_BITS)
    return TO_FLOAT(few_bits(values, k));
#else
    return LOAD_ROW(k, values);
#endif
}

#if defined(SCALE_ROW_OFFSET)
/* Number i of a row's pair of halves. PoCL's vload_half takes thirty instructions, of which five do where
 * subnormal numbers are kept, as on CPUs: exponent and fraction of a half, moved to those of a float, are off
 * by 2^112. */
static float row_half(const tables *t, uint row, uint i)
{
    SCALES_SPACE const scale_value *pair = ENTRY(SCALES, t->scales, row, 2);
#if PREFETCH
    int bits = ((SCALES_SPACE const short *)pair)[i];
    return as_float((bits << 13) & (int)0x8fffe000) * 0x1p112f;
#else
    return vload_half(i, pair);
#endif
}
#endif

static float row_scale(const tables *t, uint row)
{
#if defined(SCALE_ROW)
    return AT(SCALES, t->scales, row);
#elif defined(SCALE_ROW_OFFSET)
    return row_half(t, row, 0);
#else
    return 1.0f;
#endif
}

static float row_offset(const tables *t, uint row)
{
#if defined(SCALE_ROW_OFFSET)
    return row_half(t, row, 1);
#else
    return 0.0f;
#endif
}

/* The scales of dimensions, as vector k of a bag has them. */
static floatv dim_scales(const tables *t, uint k)
{
#if defined(SCALE_DIM)
    return LOAD_VEC(k, t->scales[0]);
#else
    return (floatv)(1.0f);
#endif
}

static float id_weight(const tables *t, uint id)
{
#if CLASS_BITS
    return AT(CLASS_WEIGHTS, t->class_weights, PACKED_AT(CLASSES, t->classes, id, CLASS_BITS));
#elif WEIGHTED
    return AT(WEIGHTS, t->weights, id);
#else
    return id == t->params.n_items ? 0.0f : 1.0f;
#endif
}

/* What the row of lookup l is multiplied by. */
static float lookup_weight(const tables *t, uint id, uint l)
{
#if LOOKUP_WEIGHTED
    return AT(LOOKUP_WEIGHTS, t->lookup_weights, (ulong)id * LOOKUPS + l);
#else
    return 1.0f;
#endif
}

static float id_bias(const tables *t, uint id)
{
#if CLASS_BITS
    return AT(CLASS_BIAS, t->class_bias, PACKED_AT(CLASSES, t->classes, id, CLASS_BITS));
#elif BIASED
    return AT(BIAS, t->bias, min(id, t->params.n_items));
#else
    return 0.0f;
#endif
}

/* What a score adds to the product: once, where there are shards. */
static float score_bias(const tables *t, uint id)
{
#if SHARDED
    return t->params.row_begin == 0 ? id_bias(t, id) : 0.0f;
#else
    return id_bias(t, id);
#endif
}

/* Where a row of the model is among those that are here; false: on another device. */
static bool row_is_here(const tables *t, uint *row)
{
#if SHARDED
    *row -= t->params.row_begin;
    return *row < t->params.row_end - t->params.row_begin;
#else
    return true;
#endif
}

#if defined(POOL_MAX)
#define POOL_NOTHING (-INFINITY)
#define POOL(x, y)   fmax(x, y)
#else
#define POOL_NOTHING 0.0f
#define POOL(x, y)   ((x) + (y))
#endif

typedef struct {
    floatv sum[N_VECS];
    float offset[CHUNKS]; /* SCALE_ROW_OFFSET: what is the same for each value of a chunk of the sum */
    float weight;         /* of the absolute weights, for POOL_MEAN */
    uint n;               /* ids, for POOL_MAX */
} bag;

static void bag_clear(bag *b)
{
    UNROLL
    for (uint k = 0; k < N_VECS; k++)
        b->sum[k] = (floatv)(POOL_NOTHING);
    UNROLL
    for (uint c = 0; c < CHUNKS; c++)
        b->offset[c] = 0.0f;
    b->weight = 0.0f;
    b->n = 0;
}

#if !LINEAR
/* Vector k of a row, all told; it is vector `to` of the embedding. */
static floatv row_vector(const tables *t, row_pointer values, uint k, float scale, float offset, uint to)
{
    return stored_vector(values, k) * scale * dim_scales(t, to) + offset;
}

/* A vector of an embedding, after that of lookup l. */
static floatv combine(floatv so_far, floatv value, uint l)
{
#if defined(COMBINE_MULTIPLY)
    return l == 0 ? value : so_far * value;
#else
    return l % PART_LOOKUPS == 0 ? value : so_far + value;
#endif
}

/* The whole embedding of an id. */
static void embedding_read(const tables *t, uint id, floatv *out)
{
    UNROLL
    for (uint l = 0; l < LOOKUPS; l++) {
        uint row = row_of(t, id, l);
        row_pointer values = row_values(t, row);
        float factor = lookup_weight(t, id, l);
        float scale = factor * row_scale(t, row), offset = factor * row_offset(t, row);
        UNROLL
        for (uint k = 0; k < ROW_VECS; k++) {
            uint to = CHUNK(l) * CHUNK_VECS + k;
            out[to] = combine(out[to], row_vector(t, values, k, scale, offset, to), l);
        }
    }
}
#endif

/* bag += weight * embedding(id), but for what bag_finish does to all of it at once. */
static void bag_add(bag *b, const tables *t, uint id, float weight)
{
#if defined(POOL_MEAN)
    b->weight += fabs(weight);
#endif
#if LINEAR
    UNROLL
    for (uint l = 0; l < LOOKUPS; l++) {
        uint row = row_of(t, id, l);
        if (!row_is_here(t, &row))
            continue;
        row_pointer values = row_values(t, row);
        float factor = weight * lookup_weight(t, id, l), scale = factor * row_scale(t, row);
        UNROLL
        for (uint k = 0; k < ROW_VECS; k++)
            b->sum[CHUNK(l) * CHUNK_VECS + k] += scale * stored_vector(values, k);
#if defined(SCALE_ROW_OFFSET)
        b->offset[CHUNK(l)] += factor * row_offset(t, row);
#endif
    }
#else
    floatv embedding[N_VECS];
    embedding_read(t, id, embedding);
    UNROLL
    for (uint k = 0; k < N_VECS; k++)
        b->sum[k] = POOL(b->sum[k], weight * embedding[k]);
    b->n++;
#endif
}

/* Vector k of the sum, of its parts. */
static floatv finished_vector(floatv sum, const tables *t, uint k, const float *offset, uint n)
{
#if LINEAR && (defined(SCALE_ROW_OFFSET) || defined(SCALE_DIM))
    return sum * dim_scales(t, k) + offset[CHUNK_OF_VEC(k)];
#elif defined(POOL_MAX)
    return n > 0 ? sum : (floatv)(0.0f);
#else
    return sum;
#endif
}

/* Turns the parts of the sum into the sum. */
static void bag_finish(bag *b, const tables *t)
{
    UNROLL
    for (uint k = 0; k < N_VECS; k++)
        b->sum[k] = finished_vector(b->sum[k], t, k, b->offset, b->n);
}

/* What the sum is multiplied by. A bag shorter than 1e-15, or without weight, is zero. */
static float mean_factor(float weight)
{
    return weight > 1e-15f ? 1.0f / weight : 0.0f;
}

static float length_factor(float length2)
{
    return length2 > 1e-30f ? 1.0f / sqrt(length2) : 0.0f;
}

static float bag_factor(const bag *b)
{
#if defined(POOL_MEAN)
    return mean_factor(b->weight);
#elif defined(POOL_NORMALISED)
    floatv squares = b->sum[0] * b->sum[0];
    UNROLL
    for (uint k = 1; k < N_VECS; k++)
        squares += b->sum[k] * b->sum[k];
    return length_factor(HSUM(squares));
#else
    return 1.0f;
#endif
}

static void bag_multiply(bag *b, float factor)
{
    UNROLL
    for (uint k = 0; k < N_VECS; k++)
        b->sum[k] *= factor;
}

/* Readies a pooled bag for products with rows as they are stored: what the dimensions are scaled by goes into
 * the bag, and what a row's offset is multiplied by is its sum. */
static void bag_fold(bag *b, const tables *t)
{
#if SCORED_BY_ROWS && defined(SCALE_ROW_OFFSET)
    UNROLL
    for (uint c = 0; c < CHUNKS; c++) {
        floatv total = b->sum[c * CHUNK_VECS];
        UNROLL
        for (uint k = 1; k < CHUNK_VECS; k++)
            total += b->sum[c * CHUNK_VECS + k];
        b->offset[c] = HSUM(total);
    }
#elif SCORED_BY_ROWS && defined(SCALE_DIM)
    UNROLL
    for (uint k = 0; k < N_VECS; k++)
        b->sum[k] *= dim_scales(t, k);
#endif
}

/* What a row's offset adds to its product with a chunk of a folded bag. */
static float scored_row_offset(float folded, const tables *t, uint row)
{
#if defined(SCALE_ROW_OFFSET)
    return folded * row_offset(t, row);
#else
    return 0.0f;
#endif
}

/* < chunk of a folded bag, row >; the row is one of those here. */
static float bag_dot_row(const bag *b, const tables *t, uint row, uint chunk)
{
    row_pointer values = row_values(t, row);
    floatv products = b->sum[chunk * CHUNK_VECS] * stored_vector(values, 0);
    UNROLL
    for (uint k = 1; k < ROW_VECS; k++)
        products += b->sum[chunk * CHUNK_VECS + k] * stored_vector(values, k);
    return HSUM(products) * row_scale(t, row) + scored_row_offset(b->offset[chunk], t, row);
}

/* < folded bag, embedding(id) > */
static float bag_dot(const bag *b, const tables *t, uint id)
{
#if SCORED_BY_ROWS
    float dot = 0.0f;
    UNROLL
    for (uint l = 0; l < LOOKUPS; l++) {
        uint row = row_of(t, id, l);
        if (row_is_here(t, &row))
            dot += lookup_weight(t, id, l) * bag_dot_row(b, t, row, CHUNK(l));
    }
    return dot;
#else
    floatv embedding[N_VECS];
    embedding_read(t, id, embedding);
    floatv products = b->sum[0] * embedding[0];
    UNROLL
    for (uint k = 1; k < N_VECS; k++)
        products += b->sum[k] * embedding[k];
    return HSUM(products);
#endif
}

#endif
