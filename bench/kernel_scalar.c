/* The same work as the kernel, written as anyone would write it first. */
#include "kernel_case.h"

#include <string.h>

static float half_to_float(uint16_t half)
{
    uint32_t exponent = half >> 10 & 31u, fraction = half & 1023u;
    uint32_t bits = (uint32_t)(half >> 15) << 31;
    if (exponent == 0) {
        float value = (float)fraction * 0x1p-24f;
        return half >> 15 ? -value : value;
    }
    bits |= (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void add_f32(const float *restrict row, uint32_t dim, float *restrict out)
{
    for (uint32_t d = 0; d < dim; d++)
        out[d] += row[d];
}

static void add_f16(const uint16_t *restrict row, uint32_t dim, float *restrict out)
{
    for (uint32_t d = 0; d < dim; d++)
        out[d] += half_to_float(row[d]);
}

static void add_i8(const int8_t *restrict row, float scale, uint32_t dim, float *restrict out)
{
    for (uint32_t d = 0; d < dim; d++)
        out[d] += scale * (float)row[d];
}

void kernel_scalar_bags(const struct kernel_case *c, float *out)
{
    const struct item_space *item = &c->model.item;
    uint32_t dim = c->shape.dim, bag = c->shape.bag;
    memset(out, 0, (size_t)c->shape.n_bags * dim * sizeof *out);
    for (size_t b = 0; b < c->shape.n_bags; b++)
        for (uint32_t j = 0; j < bag; j++) {
            uint32_t row = item->remap[c->ids[b * bag + j]];
            size_t at = (size_t)row * dim;
            if (item->precision == PRECISION_F32)
                add_f32((const float *)item->rows + at, dim, out + b * dim);
            else if (item->precision == PRECISION_F16)
                add_f16((const uint16_t *)item->rows + at, dim, out + b * dim);
            else
                add_i8((const int8_t *)item->rows + at, item->scales[row], dim, out + b * dim);
        }
}
