#include "learn/store/dequantize.h"

#include "base/half.h"
#include "model/mapping.h"

static float half_at(const void *halves, size_t i)
{
    return half_to_float(((const uint16_t *)halves)[i]);
}

/* Value i of a table of values of few bits, which lie in two bytes at the most. */
static float packed_value(const uint8_t *bytes, size_t i, uint32_t bits)
{
    const size_t first = i * bits / 8, last = (i * bits + bits - 1) / 8;
    return (float)((bytes[first] | bytes[last] << 8) >> i * bits % 8 & ((1 << bits) - 1));
}

static float stored_value(const struct row_table *rows, uint32_t r, uint32_t d)
{
    const size_t i = (size_t)r * rows->width + d;
    switch (rows->precision) {
    case PRECISION_F32:
        return ((const float *)rows->values)[i];
    case PRECISION_F16:
        return half_at(rows->values, i);
    case PRECISION_I8:
        return ((const int8_t *)rows->values)[i];
    case PRECISION_I4:
    case PRECISION_I3:
    case PRECISION_I2:
        return packed_value(rows->values, i, precision_bits(rows->precision));
    }
    return 0.0f;
}

void dequantize_row(const struct row_table *rows, uint32_t r, uint32_t first_dim, float *out)
{
    const float *scales = rows->scales;
    float scale = 1.0f, offset = 0.0f;
    if (rows->scaling == SCALING_ROW)
        scale = scales[r];
    if (rows->scaling == SCALING_ROW_OFFSET) {
        scale = half_at(rows->scales, 2 * (size_t)r);
        offset = half_at(rows->scales, 2 * (size_t)r + 1);
    }
    for (uint32_t d = 0; d < rows->width; d++) {
        if (rows->scaling == SCALING_DIM)
            scale = scales[first_dim + d];
        out[d] = scale * stored_value(rows, r, d);
        if (rows->scaling == SCALING_ROW_OFFSET)
            out[d] += offset;
    }
}

void combine_row(enum combine combine, const float *row, uint32_t n, float *out)
{
    for (uint32_t d = 0; d < n; d++)
        out[d] = combine == COMBINE_MULTIPLY ? out[d] * row[d] : out[d] + row[d];
}

static void scale_row(float weight, float *row, uint32_t n)
{
    for (uint32_t d = 0; d < n; d++)
        row[d] *= weight;
}

void dequantize_embedding(const struct model *m, const struct space *space, uint32_t id, float *out)
{
    const uint32_t width = m->rows.width, part_lookups = mapping_part_lookups(&m->mapping);
    for (uint32_t l = 0; l < space_n_lookups(m, space); l++) {
        const uint32_t first_dim = l / part_lookups * width;
        const bool is_first = l % part_lookups == 0;
        float other[MODEL_MAX_DIM], *row = is_first ? out + first_dim : other;
        dequantize_row(&m->rows, model_row_of(m, space, id, l), first_dim, row);
        if (space->lookup_weights)
            scale_row(model_lookup_weight(m, space, id, l), row, width);
        if (!is_first)
            combine_row(m->mapping.combine, row, width, out + first_dim);
    }
}
