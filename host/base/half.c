#include "base/half.h"

#include <math.h>

uint16_t half_from_float(float x)
{
    uint32_t bits = float_bits(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (magnitude >= 0x47800000u) /* 2^16 and above */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {
        /* Below 2^-14 halves are multiples of 2^-24, as floats in [0.5, 1) are: adding 0.5 rounds to one. */
        float aligned = float_of_bits(magnitude) + 0.5f;
        return (uint16_t)(sign | (float_bits(aligned) - float_bits(0.5f)));
    }
    uint32_t odd = magnitude >> 13 & 1;
    return (uint16_t)(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, magnitude = half & 0x7fffu;
    if (magnitude < 0x400u)
        return copysignf((float)magnitude * 0x1p-24f, float_of_bits(sign));
    if (magnitude >= 0x7c00u)
        return float_of_bits(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    return float_of_bits(sign | ((magnitude << 13) + 0x38000000u));
}
