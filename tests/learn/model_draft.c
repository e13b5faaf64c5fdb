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
        value |= ((unsigned)bytes[(i * bits + k) / 8] >> (i * bits + k) % 8 & 1) << k;
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

static void clear_last_row(struct draft *d)
{
    const struct row_table *rows = &d->model.rows;
    memset(d->values + (rows->n - 1) * row_bytes(rows), 0, row_bytes(rows));
    if (rows->scaling == SCALING_ROW_OFFSET)
        memset(&d->scales.f16[2 * (rows->n - 1)], 0, 2 * sizeof *d->scales.f16);
}

static void fill_remap(const struct draft *d, const struct space *space, uint32_t *remap, struct rng *rng)
{
    const uint32_t n_ids = space->n_ids, n_lookups = space->n_lookups;
    const uint32_t step = space->own_rows.n ? 0 : DRAFT_LOOKUP_ROWS;
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
    for (uint32_t e = 0; e < (DRAFT_ITEMS + 1) * DRAFT_MAX_LOOKUPS; e++)
        d->lookup_weights[e] = (float)rng_normal(rng);
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
    const uint32_t n_rows = shape->mapping == MAPPING_QUOTIENT
                                ? DRAFT_QUOTIENT_ROWS
                                : shape->n_lookups * DRAFT_LOOKUP_ROWS + shape->has_own_rows;
    const uint32_t width = shape->width ? shape->width : DRAFT_WIDTH;
    const uint32_t n_few = shape->n_few ? shape->n_few : shape->n_lookups;
    const bool is_computed = mapping_is_computed(shape->mapping);
    *d = (struct draft){.note = {"method", "made up"}};
    d->model =
        (struct model){.dim = width * (shape->combine != COMBINE_CONCAT ? 1
                                       : shape->n_parts                 ? shape->n_parts
                                                                        : shape->n_lookups),
                       .pooling = POOLING_MEAN,
                       .logit_scale = 3.0f,
                       .rows = {n_rows, width, shape->precision, shape->scaling, d->values,
                                shape->scaling == SCALING_NONE ? NULL : &d->scales},
                       .mapping = {.kind = shape->mapping,
                                   .combine = shape->combine,
                                   .n_lookups = shape->n_lookups,
                                   .n_parts = shape->n_parts},
                       .item = {.n_ids = DRAFT_ITEMS,
                                .n_lookups = n_few,
                                .remap = is_computed ? NULL : d->item_remap,
                                .weights = d->weights,
                                .lookup_weights = shape->has_lookup_weights ? d->lookup_weights : NULL},
                       .bias = d->bias,
                       .user = {.n_ids = DRAFT_USERS,
                                .n_lookups = shape->n_lookups,
                                .remap = is_computed ? NULL : d->user_remap},
                       .user_is_embedded = true,
                       .histories = {d->offsets, d->history},
                       .features = &d->country,
                       .n_features = 1,
                       .provenance = &d->note,
                       .n_provenance = 1};
    d->country = (struct feature){
        "country",
        {.n_ids = DRAFT_COUNTRIES, .n_lookups = n_few, .remap = is_computed ? NULL : d->country_remap}};
    d->model.item.own_rows = d->model.user.own_rows = d->country.space.own_rows = own;
    d->model.mapping.bits =
        shape->mapping == MAPPING_PACKED ? mapping_bits(own.n ? DRAFT_LOOKUP_ROWS : n_rows) : 0;
    d->model.mapping.seed = shape->mapping == MAPPING_HASHED ? seed : 0;
    d->model.mapping.divisor = shape->mapping == MAPPING_QUOTIENT ? DRAFT_DIVISOR : 0;
    fill_values(d, &rng);
    fill_scales(d, &rng);
    if (shape->n_few)
        clear_last_row(d);
    fill_remap(d, &d->model.item, d->item_remap, &rng);
    fill_remap(d, &d->model.user, d->user_remap, &rng);
    fill_remap(d, &d->country.space, d->country_remap, &rng);
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

static uint32_t n_lookups_of(const struct model *m, const struct space *space)
{
    return space->n_lookups ? space->n_lookups : m->mapping.n_lookups;
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
        size_t at = ((size_t)id * n_lookups_of(m, space) + lookup) * m->mapping.bits + b;
        row |= (space->remap[at / 32] >> at % 32 & 1) << b;
    }
    return row + space->own_rows.first + lookup * (space->own_rows.n / n_lookups_of(m, space));
}

/* Where in an embedding the row of a lookup stands. */
static size_t first_dim_of(const struct model *m, uint32_t lookup)
{
    uint32_t n_parts = m->dim / m->rows.width;
    return (size_t)(lookup / (m->mapping.n_lookups / n_parts)) * m->rows.width;
}

void draft_row(const struct model *m, const struct space *space, uint32_t id, uint32_t lookup, double *out)
{
    const struct row_table *rows = &m->rows;
    if (lookup >= n_lookups_of(m, space)) {
        for (size_t d = 0; d < rows->width; d++)
            out[d] = 0.0;
        return;
    }
    const float *s = rows->scales;
    const uint16_t *pairs = rows->scales;
    const size_t r = row_of(m, space, id, lookup), width = rows->width, first_dim = first_dim_of(m, lookup);
    const double weight = space->lookup_weights
                              ? (double)space->lookup_weights[(size_t)id * n_lookups_of(m, space) + lookup]
                              : 1.0;
    for (size_t d = 0; d < width; d++) {
        double q = stored_value(rows, r * width + d);
        q = rows->scaling == SCALING_ROW ? q * (double)s[r]
            : rows->scaling == SCALING_ROW_OFFSET
                ? q * half_value(pairs[2 * r]) + half_value(pairs[2 * r + 1])
            : rows->scaling == SCALING_DIM ? q * (double)s[first_dim + d]
                                           : q;
        out[d] = weight * q;
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
            if (m->mapping.combine == COMBINE_MULTIPLY)
                out[d] *= row[d];
            else
                out[first_dim_of(m, l) + d] += row[d];
        }
    }
}
