#include "learn/quantize.h"

#include <math.h>
#include <string.h>

static uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

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

static float quantize_row_i8(const float *row, uint32_t dim, int8_t *out)
{
    float largest = 0.0f;
    int32_t squares = 0;
    for (uint32_t d = 0; d < dim; d++)
        largest = fmaxf(largest, fabsf(row[d]));
    float inverse = largest > 0.0f ? 127.0f / largest : 0.0f;
    for (uint32_t d = 0; d < dim; d++) {
        out[d] = (int8_t)lrintf(row[d] * inverse);
        squares += out[d] * out[d];
    }
    return squares > 0 ? (float)(1.0 / sqrt((double)squares)) : 0.0f;
}

void quantize_rows(const float *rows, uint32_t n_rows, uint32_t dim, enum precision precision, void *out,
                   float *scales)
{
    size_t n = (size_t)n_rows * dim;
    switch (precision) {
    case PRECISION_F32:
        memcpy(out, rows, n * sizeof *rows);
        return;
    case PRECISION_F16:
        for (size_t i = 0; i < n; i++)
            ((uint16_t *)out)[i] = half_from_float(rows[i]);
        return;
    case PRECISION_I8:
        for (size_t r = 0; r < n_rows; r++)
            scales[r] = quantize_row_i8(rows + r * dim, dim, (int8_t *)out + r * dim);
        return;
    }
}

void dequantize_row(const struct model *model, uint32_t r, float *out)
{
    const size_t from = (size_t)r * model->dim;
    const struct item_space *item = &model->item;
    for (uint32_t d = 0; d < model->dim; d++) {
        if (item->precision == PRECISION_F32)
            out[d] = ((const float *)item->rows)[from + d];
        else if (item->precision == PRECISION_F16)
            out[d] = half_to_float(((const uint16_t *)item->rows)[from + d]);
        else
            out[d] = item->scales[r] * (float)((const int8_t *)item->rows)[from + d];
    }
}
