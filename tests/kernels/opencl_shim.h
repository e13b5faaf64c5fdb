/* What kernels/collide.cl needs of OpenCL C, for clang's own C: the same kernel text then runs under
 * AddressSanitizer, in ordinary memory. Vectors are clang's ext_vector_type, which has OpenCL's arithmetic
 * and its .lo, .hi and .x. */
#ifndef TESTS_OPENCL_SHIM_H
#define TESTS_OPENCL_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __kernel
#define __global
#define __constant const
#define __local
#define __private
#define reqd_work_group_size(x, y, z) unused /* an attribute that clang knows for OpenCL only */

typedef uint32_t uint;
typedef uint16_t half; /* its bits */

/* The work-item that runs now. */
extern size_t shim_global_id;

static inline size_t get_global_id(uint dimension)
{
    return dimension == 0 ? shim_global_id : 0;
}

static inline uint min(uint a, uint b)
{
    return a < b ? a : b;
}

static inline float shim_fabs(float x)
{
    return __builtin_fabsf(x);
}

static inline float shim_sqrt(float x)
{
    return __builtin_sqrtf(x);
}

#define fabs shim_fabs
#define sqrt shim_sqrt

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

/* Loads and stores need no more alignment than their elements have, and touch all of their bytes and no
 * others. */
#define SHIM_VECTOR(N)                                                                                       \
    typedef float float##N __attribute__((ext_vector_type(N)));                                              \
    typedef int8_t char##N __attribute__((ext_vector_type(N)));                                              \
    static inline __attribute__((overloadable, unused)) float##N vload##N(size_t k, const float *p)          \
    {                                                                                                        \
        float##N v;                                                                                          \
        memcpy(&v, p + k * N, sizeof v);                                                                     \
        return v;                                                                                            \
    }                                                                                                        \
    static inline __attribute__((overloadable, unused)) char##N vload##N(size_t k, const char *p)            \
    {                                                                                                        \
        char##N v;                                                                                           \
        memcpy(&v, p + k * N, sizeof v);                                                                     \
        return v;                                                                                            \
    }                                                                                                        \
    static inline __attribute__((unused)) void vstore##N(float##N v, size_t k, float *p)                     \
    {                                                                                                        \
        memcpy(p + k * N, &v, sizeof v);                                                                     \
    }                                                                                                        \
    static inline __attribute__((unused)) float##N vload_half##N(size_t k, const half *p)                    \
    {                                                                                                        \
        float##N v;                                                                                          \
        for (size_t i = 0; i < N; i++)                                                                       \
            v[i] = vload_half(k * N + i, p);                                                                 \
        return v;                                                                                            \
    }                                                                                                        \
    static inline __attribute__((unused)) float##N convert_float##N(char##N v)                               \
    {                                                                                                        \
        return __builtin_convertvector(v, float##N);                                                         \
    }

SHIM_VECTOR(2)
SHIM_VECTOR(4)
SHIM_VECTOR(8)
SHIM_VECTOR(16)

#endif
