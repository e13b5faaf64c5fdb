#include "model_draft.h"

#include "base/rng.h"
#include "model/mapping.h"

#include <math.h>
#include <string.h>

/* Of a table of values of few bits: bit by bit. */
static unsigned packed_value(const uint8_t *bytes, size_t i, unsigned bits)
{
    unsigned value = 0;
    for (unsigned k = 0; k < bits; k++)
        value |= (bytes[(i * bits + k) / 8] >> (i * bits + k) % 8 & 1u) << k;
    return value;
}

static void fill_values(struct draft *d, struct rng *rng)
{
    const struct row_table *rows = &d->model.rows;
    for (size_t i = 0; i < (size_t)rows->n * rows->width; i++) {
        double x = rng_normal(rng);
        uint64_t bits = rng_u64(rng);
        switch (rows->precision) {
        case PRECISION_F32:
            ((float *)(void *)d->values)[i] = (float)x;
            break;
        case PRECISION_F16: /* of 2^-3 to 2 */
            ((uint16_t *)(void *)d->values)[i] = (uint16_t)((bits & 0x83ff) | (12 + bits % 4) << 10);
            break;
        case PRECISION_I8:
            d->values[i] = (char)(bits % 255 - 127);
            break;
        case PRECISION_I4:
        case PRECISION_I3:
        case PRECISION_I2: /* all bits of a byte at once, and each byte several times */
            d->values[i * precision_bits(rows->precision) / 8] = (char)bits;
            break;
        }
    }
}

static void fill_scales(struct draft *d, struct rng *rng)
{
    const size_t n_bytes = row_scale_bytes(&d->model);
    if (d->model.rows.scaling == SCALING_ROW_OFFSET)
        for (size_t i = 0; i < n_bytes / sizeof(uint16_t); i++) /* of 2^-9 to 2^-6 */
            d->scales.f16[i] = (uint16_t)(rng_below(rng, 1 << 10) | (6 + rng_below(rng, 3)) << 10);
    else
        for (size_t i = 0; i < n_bytes / sizeof(float); i++)
            d->scales.f32[i] = (float)(0.01 * (0.2 + rng_double(rng)));
}

static void fill_remap(const struct draft *d, uint32_t n_ids, uint32_t *remap, struct rng *rng)
{
    const uint32_t n_lookups = d->model.mapping.n_lookups;
    const uint32_t step = d->model.item.own_rows.n ? 0 : DRAFT_LOOKUP_ROWS;
    uint32_t plain[(DRAFT_ITEMS + 1) * DRAFT_MAX_LOOKUPS];
    for (uint32_t e = 0; e < (n_ids + 1) * n_lookups; e++)
        plain[e] = e % n_lookups * step + (uint32_t)rng_below(rng, DRAFT_LOOKUP_ROWS);
    if (d->model.mapping.kind == MAPPING_PACKED)
        mapping_pack(plain, (uint64_t)(n_ids + 1) * n_lookups, d->model.mapping.bits, remap);
    else
        memcpy(remap, plain, (n_ids + 1) * n_lookups * sizeof *plain);
}

static void fill_items(struct draft *d, struct rng *rng)
{
    for (uint32_t i = 0; i <= DRAFT_ITEMS; i++) {
        d->weights[i] = (float)rng_double(rng);
        d->bias[i] = (float)rng_normal(rng);
    }
    for (uint32_t u = 0; u < DRAFT_USERS; u++) {
        d->offsets[u + 1] = d->offsets[u] + u % 4;
        for (uint32_t k = d->offsets[u]; k < d->offsets[u + 1]; k++)
            d->history[k] = (uint32_t)rng_below(rng, DRAFT_ITEMS);
    }
    d->offsets[DRAFT_USERS + 1] = d->offsets[DRAFT_USERS];
}

void draft_fill(struct draft *d, const struct draft_shape *shape, uint64_t seed)
{
    struct rng rng = rng_seeded(seed, 0);
    const struct own_rows own = {.n = shape->has_own_rows ? shape->n_lookups * DRAFT_LOOKUP_ROWS : 0};
    const uint32_t n_rows = shape->n_lookups * DRAFT_LOOKUP_ROWS + shape->has_own_rows;
    const uint32_t width = shape->width ? shape->width : DRAFT_WIDTH;
    const bool is_hashed = shape->mapping == MAPPING_HASHED;
    *d = (struct draft){.note = {"method", "made up"}};
    d->model = (struct model){
        .dim = shape->combine == COMBINE_CONCAT ? shape->n_lookups * width : width,
        .pooling = POOLING_MEAN,
        .logit_scale = 3.0f,
        .rows = {n_rows, width, shape->precision, shape->scaling, d->values,
                 shape->scaling == SCALING_NONE ? NULL : &d->scales},
        .mapping = {.kind = shape->mapping, .combine = shape->combine, .n_lookups = shape->n_lookups},
        .item = {.n_ids = DRAFT_ITEMS, .remap = is_hashed ? NULL : d->item_remap, .weights = d->weights},
        .bias = d->bias,
        .user = {.n_ids = DRAFT_USERS, .remap = is_hashed ? NULL : d->user_remap},
        .user_is_embedded = true,
        .histories = {d->offsets, d->history},
        .features = &d->country,
        .n_features = 1,
        .provenance = &d->note,
        .n_provenance = 1};
    d->country =
        (struct feature){"country", {.n_ids = DRAFT_COUNTRIES, .remap = is_hashed ? NULL : d->country_remap}};
    d->model.item.own_rows = d->model.user.own_rows = d->country.space.own_rows = own;
    d->model.mapping.bits =
        shape->mapping == MAPPING_PACKED ? mapping_bits(own.n ? DRAFT_LOOKUP_ROWS : n_rows) : 0;
    d->model.mapping.seed = is_hashed ? seed : 0;
    fill_values(d, &rng);
    fill_scales(d, &rng);
    fill_remap(d, DRAFT_ITEMS, d->item_remap, &rng);
    fill_remap(d, DRAFT_USERS, d->user_remap, &rng);
    fill_remap(d, DRAFT_COUNTRIES, d->country_remap, &rng);
    fill_items(d, &rng);
}

static double half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    double size = exponent ? ldexp(1024 + bits % 1024, exponent - 25) : ldexp(bits % 1024, -24);
    return bits >> 15 ? -size : size;
}

static double stored_value(const struct row_table *rows, size_t i)
{
    switch (rows->precision) {
    case PRECISION_F32:
        return (double)((const float *)rows->values)[i];
    case PRECISION_F16:
        return half_value(((const uint16_t *)rows->values)[i]);
    case PRECISION_I8:
        return ((const int8_t *)rows->values)[i];
    case PRECISION_I4: {
        uint8_t byte = ((const uint8_t *)rows->values)[i / 2];
        return i % 2 ? byte / 16 : byte % 16;
    }
    case PRECISION_I3:
        return packed_value(rows->values, i, 3);
    case PRECISION_I2:
        return packed_value(rows->values, i, 2);
    }
    return NAN;
}

/* Bit by bit. */
static uint32_t row_of(const struct model *m, const struct space *space, uint32_t id, uint32_t lookup)
{
    if (m->mapping.kind != MAPPING_PACKED)
        return model_row_of(m, space, id, lookup);
    if (space->own_rows.n && id == space->n_ids)
        return m->rows.n - 1;
    uint32_t row = 0;
    for (uint32_t b = 0; b < m->mapping.bits; b++) {
        size_t at = ((size_t)id * m->mapping.n_lookups + lookup) * m->mapping.bits + b;
        row |= (space->remap[at / 32] >> at % 32 & 1) << b;
    }
    return row + space->own_rows.first + lookup * (space->own_rows.n / m->mapping.n_lookups);
}

void draft_row(const struct model *m, const struct space *space, uint32_t id, uint32_t lookup, double *out)
{
    const struct row_table *rows = &m->rows;
    const float *s = rows->scales;
    const uint16_t *pairs = rows->scales;
    const size_t r = row_of(m, space, id, lookup), width = rows->width;
    const size_t first_dim = m->mapping.combine == COMBINE_CONCAT ? lookup * width : 0;
    for (size_t d = 0; d < width; d++) {
        double q = stored_value(rows, r * width + d);
        out[d] = rows->scaling == SCALING_ROW ? q * (double)s[r]
                 : rows->scaling == SCALING_ROW_OFFSET
                     ? q * half_value(pairs[2 * r]) + half_value(pairs[2 * r + 1])
                 : rows->scaling == SCALING_DIM ? q * (double)s[first_dim + d]
                                                : q;
    }
}

void draft_embedding(const struct model *m, const struct space *space, uint32_t id, double *out)
{
    for (uint32_t d = 0; d < m->dim; d++)
        out[d] = m->mapping.combine == COMBINE_MULTIPLY ? 1.0 : 0.0;
    for (uint32_t l = 0; l < m->mapping.n_lookups; l++) {
        double row[DRAFT_MAX_DIM];
        draft_row(m, space, id, l, row);
        for (uint32_t d = 0; d < m->rows.width; d++) {
            if (m->mapping.combine == COMBINE_CONCAT)
                out[l * m->rows.width + d] = row[d];
            else if (m->mapping.combine == COMBINE_MULTIPLY)
                out[d] *= row[d];
            else
                out[d] += row[d];
        }
    }
}
