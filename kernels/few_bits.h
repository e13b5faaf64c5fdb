/* Rows of few bits a value: one value behind the other, low bits first. */
#ifndef KERNELS_FEW_BITS_H
#define KERNELS_FEW_BITS_H

#include "tables.h"

#if defined(ROW_BITS)

#define VECTOR_BYTES (VEC * ROW_BITS / 8)

/* Where each value of a vector is in its word, see below. */
#if ROW_BITS == 4
static __constant uint PLACES[16] = {0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28};
#elif ROW_BITS == 3
static __constant uint PLACES[16] = {0, 3, 6, 9, 12, 15, 18, 21, 8, 11, 14, 17, 20, 23, 26, 29};
#else
static __constant uint PLACES[16] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
#endif

/* For each value of vector k the word that holds it. Vectors of 16 may take two words: of 8 bytes these lie
 * side by side, of 6 bytes they share the middle two. */
static uintv vector_words(row_pointer values, uint k)
{
#if VECTOR_BYTES == 8
    ROWS_SPACE const uint *pair = (ROWS_SPACE const uint *)values + 2 * k;
    uintv words;
    words.lo = (uint8)(pair[0]);
    words.hi = (uint8)(pair[1]);
    return words;
#elif VECTOR_BYTES == 6
    ROWS_SPACE const ushort *halves = (ROWS_SPACE const ushort *)values + 3 * k;
    uintv words;
    words.lo = (uint8)(as_uint(vload2(0, halves)));
    words.hi = (uint8)(as_uint(vload2(0, halves + 1)));
    return words;
#elif VECTOR_BYTES == 4
    return (uintv)(((ROWS_SPACE const uint *)values)[k]);
#elif VECTOR_BYTES == 3
    row_pointer bytes = values + 3 * k;
    return (uintv)(bytes[0] | (uint)bytes[1] << 8 | (uint)bytes[2] << 16);
#elif VECTOR_BYTES == 2
    return (uintv)(((ROWS_SPACE const ushort *)values)[k]);
#else
    return (uintv)(values[k]);
#endif
}

/* Vector k of a row. */
static uintv few_bits(row_pointer values, uint k)
{
    return vector_words(values, k) >> LOAD_VEC(0, PLACES) & ((1u << ROW_BITS) - 1);
}

#endif
#endif
