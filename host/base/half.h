/* IEEE 754's binary16, and binary32 as bits. */
#ifndef BASE_HALF_H
#define BASE_HALF_H

#include <stdint.h>
#include <string.h>

/* Rounded to nearest, ties to even. */
uint16_t half_from_float(float x);
float half_to_float(uint16_t half);

/* The float with these bits, and the bits of one. */
static inline float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

#endif
