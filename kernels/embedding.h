/* Rows, the remap that leads to them, and the embedding-bag over both.
 *
 * Specialised when built:
 *   DIM                               values in a row
 *   ROWS_F32 | ROWS_F16 | ROWS_I8     how they are stored; i8 rows have a scale each
 *   POOL_SUM | POOL_MEAN | POOL_NORMALISED
 *   WEIGHTED, BIASED                  1: the model has a weight, a bias per id
 *   PREFETCH                          1: ask for rows ahead of their use (CPUs; GPUs hide latency by
 * themselves) */
#ifndef KERNELS_EMBEDDING_H
#define KERNELS_EMBEDDING_H

#ifndef DIM
#define DIM 64
#endif
#if !defined(ROWS_F32) && !defined(ROWS_F16) && !defined(ROWS_I8)
#define ROWS_I8
#endif
#if !defined(POOL_SUM) && !defined(POOL_MEAN) && !defined(POOL_NORMALISED)
#define POOL_SUM
#endif
#ifndef WEIGHTED
#define WEIGHTED 1
#endif
#ifndef BIASED
#define BIASED 1
#endif
#ifndef PREFETCH
#define PREFETCH 0
#endif
/* How far ahead of its use a row, and the mapping entry that names it, is asked for. */
#ifndef ROW_AHEAD
#define ROW_AHEAD 16
#endif
#ifndef REMAP_AHEAD
#define REMAP_AHEAD 32
#endif

/* The widest vector that divides a row. */
#if DIM % 16 == 0
#define VEC     16
#define HSUM(v) hsum8((v).lo + (v).hi)
typedef float16 floatv;
#elif DIM % 8 == 0
#define VEC     8
#define HSUM(v) hsum8(v)
typedef float8 floatv;
#elif DIM % 4 == 0
#define VEC     4
#define HSUM(v) hsum4(v)
typedef float4 floatv;
#elif DIM % 2 == 0
#define VEC     2
#define HSUM(v) ((v).x + (v).y)
typedef float2 floatv;
#else
#define VEC     1
#define HSUM(v) (v)
typedef float floatv;
#endif
#define N_VECS (DIM / VEC)

#define PASTE2(a, b) a##b
#define PASTE(a, b)  PASTE2(a, b)
#if VEC == 1
#define LOAD_VEC(k, p)  ((p)[k])
#define LOAD_HALF(k, p) vload_half(k, p)
#define TO_FLOAT(v)     ((float)(v))
#define STORE(v, k, p)  ((p)[k] = (v))
#else
#define LOAD_VEC(k, p)  PASTE(vload, VEC)(k, p)
#define LOAD_HALF(k, p) PASTE(vload_half, VEC)(k, p)
#define TO_FLOAT(v)     PASTE(convert_float, VEC)(v)
#define STORE(v, k, p)  PASTE(vstore, VEC)(v, k, p)
#endif

/* ROW_VEC(row, k): values k * VEC .. of a row, as floats. */
#if defined(ROWS_F32)
typedef float row_value;
#define ROW_VEC(row, k) LOAD_VEC(k, row)
#elif defined(ROWS_F16)
typedef half row_value;
#define ROW_VEC(row, k) LOAD_HALF(k, row)
#else
typedef char row_value;
#define ROW_VEC(row, k) TO_FLOAT(LOAD_VEC(k, row))
#endif

#if PREFETCH
/* OpenCL's own prefetch() does nothing on PoCL. */
#define PREFETCH_LINE(p) __builtin_prefetch((const void *)(size_t)(p))
#else
#define PREFETCH_LINE(p)
#endif
#define LINE_BYTES 64

static float hsum4(float4 v)
{
    float2 pair = v.lo + v.hi;
    return pair.x + pair.y;
}

static float hsum8(float8 v)
{
    return hsum4(v.lo + v.hi);
}

/* The item space; each per-id array has n_ids + 1 entries, the last for the unknown id. */
typedef struct {
    uint n_ids;
    __global const uint *remap;     /* (n_ids + 1) */
    __global const row_value *rows; /* (n_rows, DIM) */
    __global const float *scales;   /* (n_rows), i8 only */
    __global const float *weights;  /* (n_ids + 1), WEIGHTED only */
    __global const float *bias;     /* (n_ids + 1), BIASED only */
} item_space;

static uint known_or_last(uint id, uint n_ids)
{
    return min(id, n_ids);
}

static __global const row_value *row_of(const item_space *items, uint row)
{
    return items->rows + (size_t)row * DIM;
}

static float row_scale(const item_space *items, uint row)
{
#if defined(ROWS_I8)
    return items->scales[row];
#else
    return 1.0f;
#endif
}

static float id_weight(const item_space *items, uint id)
{
#if WEIGHTED
    return items->weights[id];
#else
    return id < items->n_ids ? 1.0f : 0.0f;
#endif
}

static float id_bias(const item_space *items, uint id)
{
#if BIASED
    return items->bias[id];
#else
    return 0.0f;
#endif
}

static void prefetch_row(const item_space *items, uint id)
{
#if PREFETCH
    uint row = items->remap[known_or_last(id, items->n_ids)];
    __global const row_value *values = row_of(items, row);
    for (uint byte = 0; byte < DIM * sizeof(row_value); byte += LINE_BYTES)
        PREFETCH_LINE((__global const char *)values + byte);
#if defined(ROWS_I8)
    PREFETCH_LINE(items->scales + row);
#endif
#endif
}

/* Asks for what position j + ROW_AHEAD and j + REMAP_AHEAD of a list of ids will need. */
static void prefetch_ahead(const item_space *items, __global const uint *ids, uint j, uint end)
{
#if PREFETCH
    if (j + REMAP_AHEAD < end)
        PREFETCH_LINE(items->remap + known_or_last(ids[j + REMAP_AHEAD], items->n_ids));
    if (j + ROW_AHEAD < end)
        prefetch_row(items, ids[j + ROW_AHEAD]);
#endif
}

/* The first rows of a list have nothing ahead of them to be asked for by. */
static void prefetch_start(const item_space *items, __global const uint *ids, uint begin, uint end)
{
#if PREFETCH
    uint stop = min(end, begin + ROW_AHEAD);
    for (uint j = begin; j < stop; j++)
        prefetch_row(items, ids[j]);
#endif
}

typedef struct {
    floatv sum[N_VECS];
    float weight; /* sum of the absolute weights, for POOL_MEAN */
} bag;

/* bag += sum over j in [begin, end) of w_j * row(remap[ids[j]]); w_j = request_weights[j] (1 where that is
 * NULL) times the id's own weight. */
static void bag_add(bag *b, const item_space *items, __global const uint *ids,
                    __global const float *request_weights, uint begin, uint end)
{
    prefetch_start(items, ids, begin, end);
    for (uint j = begin; j < end; j++) {
        prefetch_ahead(items, ids, j, end);
        uint id = known_or_last(ids[j], items->n_ids);
        uint row = items->remap[id];
        float weight = id_weight(items, id);
        if (request_weights)
            weight *= request_weights[j];
#if defined(POOL_MEAN)
        b->weight += fabs(weight);
#endif
        weight *= row_scale(items, row);
        __global const row_value *values = row_of(items, row);
        for (uint k = 0; k < N_VECS; k++)
            b->sum[k] += weight * ROW_VEC(values, k);
    }
}

/* Turns the sum into the pooled vector, times factor. A bag shorter than 1e-15, or without weight, is zero.
 */
static void bag_pool(bag *b, float factor)
{
#if defined(POOL_MEAN)
    factor = b->weight > 1e-15f ? factor / b->weight : 0.0f;
#elif defined(POOL_NORMALISED)
    floatv squares = b->sum[0] * b->sum[0];
    for (uint k = 1; k < N_VECS; k++)
        squares += b->sum[k] * b->sum[k];
    float length2 = HSUM(squares);
    factor = length2 > 1e-30f ? factor / sqrt(length2) : 0.0f;
#endif
    for (uint k = 0; k < N_VECS; k++)
        b->sum[k] *= factor;
}

/* < bag, row(row) > */
static float bag_dot_row(const bag *b, const item_space *items, uint row)
{
    __global const row_value *values = row_of(items, row);
    floatv products = b->sum[0] * ROW_VEC(values, 0);
    for (uint k = 1; k < N_VECS; k++)
        products += b->sum[k] * ROW_VEC(values, k);
    return HSUM(products) * row_scale(items, row);
}

#endif
