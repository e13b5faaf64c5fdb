/* The widest vector that divides a row, and what is done with it. */
#ifndef KERNELS_VECTORS_H
#define KERNELS_VECTORS_H

#include "specialisation.h"

/* A GPU's lanes load up to 16 bytes each. */
#if defined(FORM_GROUP) && defined(ROWS_F32)
#define MAX_VEC 4
#elif defined(FORM_GROUP) && defined(ROWS_F16)
#define MAX_VEC 8
#else
#define MAX_VEC 16
#endif

#if WIDTH % 16 == 0 && MAX_VEC >= 16
#define VEC     16
#define HSUM(v) hsum8((v).lo + (v).hi)
typedef float16 floatv;
typedef uint16 uintv;
#elif WIDTH % 8 == 0 && MAX_VEC >= 8
#define VEC     8
#define HSUM(v) hsum8(v)
typedef float8 floatv;
typedef uint8 uintv;
#elif WIDTH % 4 == 0
#define VEC     4
#define HSUM(v) hsum4(v)
typedef float4 floatv;
typedef uint4 uintv;
#elif WIDTH % 2 == 0
#define VEC     2
#define HSUM(v) ((v).x + (v).y)
typedef float2 floatv;
typedef uint2 uintv;
#else
#define VEC     1
#define HSUM(v) (v)
typedef float floatv;
typedef uint uintv;
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

/* Of what several kernels share: where they are one function, it would be left out of line, and its bag and
 * tables be in memory. */
#define INLINED static inline __attribute__((always_inline))

static float hsum4(float4 v)
{
    float2 pair = v.lo + v.hi;
    return pair.x + pair.y;
}

static float hsum8(float8 v)
{
    return hsum4(v.lo + v.hi);
}

#endif
