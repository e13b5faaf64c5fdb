/* The widest vector that divides a row, and what is done with it. */
#ifndef KERNELS_VECTORS_H
#define KERNELS_VECTORS_H

#include "specialisation.h"

/* Values that are loaded at once: all of a row, or half of one whose bytes hold two each. */
#if defined(ROWS_I4)
#define LOADED (WIDTH / 2)
#else
#define LOADED WIDTH
#endif

/* A GPU's lanes load 16 bytes each. */
#if defined(FORM_GROUP) && defined(ROWS_F32)
#define MAX_VEC 4
#elif defined(FORM_GROUP) && defined(ROWS_F16)
#define MAX_VEC 8
#else
#define MAX_VEC 16
#endif

#if LOADED % 16 == 0 && MAX_VEC >= 16
#define VEC     16
#define HSUM(v) hsum8((v).lo + (v).hi)
typedef float16 floatv;
#elif LOADED % 8 == 0 && MAX_VEC >= 8
#define VEC     8
#define HSUM(v) hsum8(v)
typedef float8 floatv;
#elif LOADED % 4 == 0
#define VEC     4
#define HSUM(v) hsum4(v)
typedef float4 floatv;
#elif LOADED % 2 == 0
#define VEC     2
#define HSUM(v) ((v).x + (v).y)
typedef float2 floatv;
#else
#define VEC     1
#define HSUM(v) (v)
typedef float floatv;
#endif
#define N_VECS   (DIM / VEC)
#define ROW_VECS (WIDTH / VEC)

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

/* Vector k of a stored row. Rows begin on multiples of their vectors' bytes; GPUs' compilers load value by
 * value unless they are told. */
#if defined(FORM_GROUP) && VEC > 1
#define LOAD_ROW(k, p)      (((ROWS_SPACE const PASTE(ROW_TYPE, VEC) *)(p))[k])
#define LOAD_ROW_HALF(k, p) PASTE(vloada_half, VEC)(k, p)
#else
#define LOAD_ROW(k, p)      LOAD_VEC(k, p)
#define LOAD_ROW_HALF(k, p) LOAD_HALF(k, p)
#endif

/* Before a loop over the vectors of a row: they are to stay in registers. Longer loops than that have not
 * enough. */
#define UNROLL _Pragma("unroll 16")

static float hsum4(float4 v)
{
    float2 pair = v.lo + v.hi;
    return pair.x + pair.y;
}

static float hsum8(float8 v)
{
    return hsum4(v.lo + v.hi);
}

/* Vectors of a bag hold its dimensions in this order: position j of vector k. Halves of bytes come apart into
 * vectors of even and of odd dimensions. */
static uint dim_of(uint k, uint j)
{
#if defined(ROWS_I4)
    return 2 * (k / 2 * VEC + j) + k % 2;
#else
    return k * VEC + j;
#endif
}

static floatv vector_read(uint k, __global const float *dims)
{
#if defined(ROWS_I4)
    float values[VEC];
    for (uint j = 0; j < VEC; j++)
        values[j] = dims[dim_of(k, j)];
    return LOAD_VEC(0, values);
#else
    return LOAD_VEC(k, dims);
#endif
}

static void vector_write(floatv v, uint k, __global float *dims)
{
#if defined(ROWS_I4)
    float values[VEC];
    STORE(v, 0, values);
    for (uint j = 0; j < VEC; j++)
        dims[dim_of(k, j)] = values[j];
#else
    STORE(v, k, dims);
#endif
}

#endif
