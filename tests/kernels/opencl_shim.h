/* What kernels/collide.cl needs of OpenCL C, for clang's own C: the same kernel text then runs under
 * AddressSanitizer, in ordinary memory. Vectors are clang's ext_vector_type, which has OpenCL's arithmetic
 * and its .lo, .hi and .x. */
#ifndef TESTS_OPENCL_SHIM_H
#define TESTS_OPENCL_SHIM_H

#include "work_group.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __kernel
#define __global
#define __constant const
#define __local
#define __private
#define reqd_work_group_size(x, y, z) unused /* an attribute that clang knows for OpenCL only */
#define GROUP_MEMORY(name)            static group_memory name /* groups run one after another */

typedef uint8_t uchar;
typedef uint16_t ushort;
typedef uint32_t uint;
typedef uint64_t ulong;
typedef uint16_t half; /* its bits */

#define INFINITY __builtin_inff()

#define CLK_LOCAL_MEM_FENCE  0
#define CLK_GLOBAL_MEM_FENCE 0
#define barrier(fence)       work_group_barrier()

#define SHIM static inline __attribute__((overloadable, unused))

static inline size_t get_group_id(uint dimension)
{
    return dimension == 0 ? shim_group_id : 0;
}

static inline size_t get_local_id(uint dimension)
{
    return dimension == 0 ? shim_local_id : 0;
}

static inline uint add_sat(uint a, uint b)
{
    return a + b < a ? UINT32_MAX : a + b;
}

static inline uint min(uint a, uint b)
{
    return a < b ? a : b;
}

static inline ulong rotate(ulong x, ulong n)
{
    return x << (n & 63) | x >> (-n & 63);
}

SHIM float shim_fmax(float x, float y)
{
    return __builtin_fmaxf(x, y);
}

static inline float shim_fabs(float x)
{
    return __builtin_fabsf(x);
}

static inline float shim_sqrt(float x)
{
    return __builtin_sqrtf(x);
}

#define fmax shim_fmax
#define fabs shim_fabs
#define sqrt shim_sqrt

static inline float as_float(int bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* vload_half: exact, subnormal halves too. */
static inline float vload_half(size_t k, const half *p)
{
    uint32_t bits = p[k], sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7fffu;
    float size;
    if (magnitude < 0x400u) {
        size = (float)magnitude * 0x1p-24f;
    } else {
        uint32_t shifted = (magnitude << 13) + (112u << 23);
        memcpy(&size, &shifted, sizeof size);
    }
    return sign ? -size : size;
}

/* Loads and stores need no more alignment than their elements have, but for vloada_half's, and touch all of
 * their bytes and no others. */
#define SHIM_LOAD(N, type)                                                                                   \
    SHIM type##N vload##N(size_t k, const type *p)                                                           \
    {                                                                                                        \
        type##N v;                                                                                           \
        memcpy(&v, p + k * N, sizeof v);                                                                     \
        return v;                                                                                            \
    }
#define SHIM_CONVERT(N, type)                                                                                \
    SHIM float##N convert_float##N(type##N v)                                                                \
    {                                                                                                        \
        return __builtin_convertvector(v, float##N);                                                         \
    }
#define SHIM_VECTOR(N)                                                                                       \
    typedef float float##N __attribute__((ext_vector_type(N)));                                              \
    typedef char char##N __attribute__((ext_vector_type(N)));                                                \
    typedef uchar uchar##N __attribute__((ext_vector_type(N)));                                              \
    typedef ushort ushort##N __attribute__((ext_vector_type(N)));                                            \
    typedef uint uint##N __attribute__((ext_vector_type(N)));                                                \
    typedef half half##N __attribute__((ext_vector_type(N)));                                                \
    SHIM_LOAD(N, float)                                                                                      \
    SHIM_LOAD(N, char)                                                                                       \
    SHIM_LOAD(N, uchar)                                                                                      \
    SHIM_LOAD(N, ushort)                                                                                     \
    SHIM_LOAD(N, uint)                                                                                       \
    SHIM_CONVERT(N, char)                                                                                    \
    SHIM_CONVERT(N, uchar)                                                                                   \
    SHIM_CONVERT(N, uint)                                                                                    \
    SHIM void vstore##N(float##N v, size_t k, float *p)                                                      \
    {                                                                                                        \
        memcpy(p + k * N, &v, sizeof v);                                                                     \
    }                                                                                                        \
    SHIM float##N vload_half##N(size_t k, const half *p)                                                     \
    {                                                                                                        \
        float##N v;                                                                                          \
        for (size_t i = 0; i < N; i++)                                                                       \
            v[i] = vload_half(k * N + i, p);                                                                 \
        return v;                                                                                            \
    }                                                                                                        \
    SHIM float##N vloada_half##N(size_t k, const half *p)                                                    \
    {                                                                                                        \
        half##N bits = ((const half##N *)p)[k];                                                              \
        float##N v;                                                                                          \
        for (size_t i = 0; i < N; i++) {                                                                     \
            half one = bits[i];                                                                              \
            v[i] = vload_half(0, &one);                                                                      \
        }                                                                                                    \
        return v;                                                                                            \
    }                                                                                                        \
    SHIM float##N shim_fmax(float##N x, float##N y)                                                          \
    {                                                                                                        \
        for (size_t i = 0; i < N; i++)                                                                       \
            x[i] = __builtin_fmaxf(x[i], y[i]);                                                              \
        return x;                                                                                            \
    }

SHIM_VECTOR(2)
SHIM_VECTOR(4)
SHIM_VECTOR(8)
SHIM_VECTOR(16)

static inline uint as_uint(ushort2 halves)
{
    uint value;
    memcpy(&value, &halves, sizeof value);
    return value;
}

#endif
