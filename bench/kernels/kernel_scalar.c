#include "kernel_scalar.h"

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

static void add_i8_line(const int8_t *restrict row, const float *restrict scales, uint32_t dim,
                        float *restrict out)
{
    for (uint32_t d = 0; d < dim; d++)
        out[d] += scales[d] * (float)row[d];
}

static void add_i4(const uint8_t *restrict row, const uint16_t *pair, uint32_t dim, float *restrict out)
{
    float scale = half_to_float(pair[0]), offset = half_to_float(pair[1]);
    for (uint32_t d = 0; d < dim; d++)
        out[d] += scale * (float)(row[d / 2] >> (d % 2 * 4) & 15) + offset;
}

static void add_i3(const uint8_t *restrict row, const uint16_t *pair, uint32_t dim, float *restrict out)
{
    float scale = half_to_float(pair[0]), offset = half_to_float(pair[1]);
    for (uint32_t d = 0; d < dim; d += 8, row += 3) {
        uint32_t word = row[0] | (uint32_t)row[1] << 8 | (uint32_t)row[2] << 16;
        for (uint32_t j = 0; j < 8; j++)
            out[d + j] += scale * (float)(word >> 3 * j & 7) + offset;
    }
}

static void add_i2(const uint8_t *restrict row, const uint16_t *pair, uint32_t dim, float *restrict out)
{
    float scale = half_to_float(pair[0]), offset = half_to_float(pair[1]);
    for (uint32_t d = 0; d < dim; d++)
        out[d] += scale * (float)(row[d / 4] >> (d % 4 * 2) & 3) + offset;
}

static void add_row(const struct kernel_case *c, uint32_t row, float *out)
{
    const struct row_table *rows = &c->model.rows;
    const char *values = (const char *)rows->values + row * row_bytes(rows);
    const uint16_t *pairs = rows->scales;
    uint32_t dim = c->shape.dim;
    switch (c->shape.form) {
    case ROWS_F32:
        add_f32((const float *)(const void *)values, dim, out);
        break;
    case ROWS_F16:
        add_f16((const uint16_t *)(const void *)values, dim, out);
        break;
    case ROWS_I8:
        add_i8((const int8_t *)values, ((const float *)rows->scales)[row], dim, out);
        break;
    case ROWS_I8_LINE:
        add_i8_line((const int8_t *)values, rows->scales, dim, out);
        break;
    case ROWS_I4:
        add_i4((const uint8_t *)values, pairs + 2 * (size_t)row, dim, out);
        break;
    case ROWS_I3:
        add_i3((const uint8_t *)values, pairs + 2 * (size_t)row, dim, out);
        break;
    case ROWS_I2:
    case N_ROW_FORMS:
        add_i2((const uint8_t *)values, pairs + 2 * (size_t)row, dim, out);
        break;
    }
}

void kernel_scalar_bags(const struct kernel_case *c, const uint32_t *ids, float *out)
{
    memset(out, 0, (size_t)c->shape.n_queries * c->shape.dim * sizeof *out);
    for (size_t b = 0; b < c->shape.n_queries; b++)
        for (uint32_t j = 0; j < c->shape.bag; j++)
            add_row(c, c->model.item.remap[ids[b * c->shape.bag + j]], out + b * c->shape.dim);
}
