#include "support/random_model.h"

#include "base/rng.h"
#include "data/id_index.h"
#include "model/mapping.h"
#include "model/write.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Items, users, features. */
enum { MAX_SPACES = SPACE_FEATURES + RANDOM_MAX_FEATURES };

/* A model under construction, its arrays owned. */
struct draft {
    struct model model;
    uint32_t *remaps[MAX_SPACES], *offsets, *history;
    float *weights[MAX_SPACES], *lookup_weights[MAX_SPACES];
    void *rows, *scales;
    float *bias;
    uint32_t *class_words[MAX_SPACES], *codes[MAX_SPACES];
    float *class_weights[MAX_SPACES], *class_bias;
    struct id_builder *keys[MAX_SPACES];
    struct feature features[RANDOM_MAX_FEATURES];
};

/* Sparse enough never to be taken for dense ids. */
enum { KEY_STEP = 1000003, FIRST_KEY = 5000000 };

static void *allocate(size_t n, size_t item_bytes)
{
    void *p = calloc(n, item_bytes);
    assert_non_null(p);
    return p;
}

struct collide_id random_model_key(const struct random_model *spec, uint64_t d)
{
    return collide_id_number(spec->keys == KEYS_DENSE ? d : FIRST_KEY + d * KEY_STEP);
}

const char *random_model_feature(size_t i)
{
    static const char *const names[RANDOM_MAX_FEATURES] = {"country", "device"};
    return names[i];
}

/* What a whole row is like. */
enum row_kind { ROW_ORDINARY, ROW_ZERO, ROW_ONE_HOT, ROW_TINY, ROW_LARGE, N_ROW_KINDS };

static double row_size(enum row_kind kind, uint32_t dim)
{
    static const double sizes[] = {
        [ROW_ORDINARY] = 1, [ROW_ZERO] = 0, [ROW_ONE_HOT] = 1, [ROW_TINY] = 1e-20, [ROW_LARGE] = 1e3};
    return sizes[kind] / sqrt(dim);
}

/* A half of about this size: a random sign, fraction and last bit of the exponent. Sizes too small for one
 * become subnormal. */
static uint16_t random_half(struct rng *rng, double size)
{
    int exponent = size > 0 ? ilogb(size) + 14 + (int)rng_below(rng, 2) : 0;
    uint64_t bits = rng_u64(rng) & (size > 0 ? 0x83ff : 0x8000);
    return (uint16_t)(bits | (uint64_t)(exponent > 0 ? exponent : 0) << 10);
}

/* Value i of a table of values of few bits, all zeros so far. */
static void set_bits(uint8_t *bytes, size_t i, uint32_t bits, unsigned value)
{
    for (uint32_t k = 0; k < bits; k++)
        bytes[(i * bits + k) / 8] |= (uint8_t)((value >> k & 1) << (i * bits + k) % 8);
}

static void fill_row(const struct random_model *spec, struct rng *rng, uint32_t row, struct draft *d)
{
    enum row_kind kind =
        spec->values == VALUES_EXTREME ? (enum row_kind)rng_below(rng, N_ROW_KINDS) : ROW_ORDINARY;
    const struct row_table *rows = &d->model.rows;
    double size = row_size(kind, spec->dim);
    uint32_t hot = (uint32_t)rng_below(rng, rows->width);
    for (uint32_t v = 0; v < rows->width; v++) {
        size_t i = (size_t)row * rows->width + v;
        double value = kind == ROW_ONE_HOT && v != hot ? 0 : size;
        if (spec->precision == PRECISION_F32)
            ((float *)d->rows)[i] = (float)(value * rng_normal(rng));
        else if (spec->precision == PRECISION_F16)
            ((uint16_t *)d->rows)[i] = random_half(rng, value);
        else if (spec->precision == PRECISION_I8)
            ((int8_t *)d->rows)[i] = value > 0 ? (int8_t)((int)rng_below(rng, 256) - 128) : 0;
        else
            set_bits(d->rows, i, precision_bits(spec->precision), value > 0 ? (unsigned)rng_u64(rng) : 0);
    }
    double step =
        size / (precision_bits(spec->precision) < 8 ? 1 << (precision_bits(spec->precision) - 1) : 64);
    if (rows->scaling == SCALING_ROW)
        ((float *)d->scales)[row] = (float)(step * (0.5 + rng_double(rng)));
    if (rows->scaling == SCALING_ROW_OFFSET) {
        ((uint16_t *)d->scales)[2 * (size_t)row] = random_half(rng, step);
        ((uint16_t *)d->scales)[2 * (size_t)row + 1] = random_half(rng, size);
    }
}

static void clear_last_row(struct draft *d)
{
    const struct row_table *rows = &d->model.rows;
    size_t n_bytes = row_bytes(rows), last = rows->n - 1;
    memset((char *)d->rows + last * n_bytes, 0, n_bytes);
    if (rows->scaling == SCALING_ROW_OFFSET)
        memset((uint16_t *)d->scales + 2 * last, 0, 2 * sizeof(uint16_t));
}

static void fill_rows(const struct random_model *spec, struct rng *rng, struct draft *d)
{
    static const enum scaling defaults[] = {
        [PRECISION_F32] = SCALING_NONE,      [PRECISION_F16] = SCALING_NONE,
        [PRECISION_I8] = SCALING_ROW,        [PRECISION_I4] = SCALING_ROW_OFFSET,
        [PRECISION_I3] = SCALING_ROW_OFFSET, [PRECISION_I2] = SCALING_ROW_OFFSET};
    struct model *m = &d->model;
    m->rows = (struct row_table){.n = spec->n_rows,
                                 .width = m->dim / mapping_n_parts(&m->mapping),
                                 .precision = spec->precision,
                                 .scaling = spec->scales == RANDOM_SCALES_OFFSET ? SCALING_ROW_OFFSET
                                            : spec->scales == RANDOM_SCALES_DIM  ? SCALING_DIM
                                                                                 : defaults[spec->precision]};
    m->rows.values = d->rows = allocate(spec->n_rows, row_bytes(&m->rows));
    if (m->rows.scaling != SCALING_NONE)
        m->rows.scales = d->scales = allocate(row_scale_bytes(m), 1);
    for (uint32_t row = 0; row < spec->n_rows; row++)
        fill_row(spec, rng, row, d);
    if (spec->flags & (RANDOM_FEW_ITEM_LOOKUPS | RANDOM_FEW_OTHER_LOOKUPS))
        clear_last_row(d);
    for (uint32_t v = 0; m->rows.scaling == SCALING_DIM && v < m->dim; v++)
        ((float *)d->scales)[v] = (float)(row_size(ROW_ORDINARY, m->dim) * (0.5 + rng_double(rng)) / 64);
}

static float random_weight(const struct random_model *spec, struct rng *rng)
{
    static const float extremes[] = {0.0f, 1e-6f, -1.0f, 1e4f, -1e4f, 1e-18f};
    if (spec->values == VALUES_EXTREME && rng_below(rng, 3) == 0)
        return extremes[rng_below(rng, sizeof extremes / sizeof *extremes)];
    return (float)(0.25 + 1.5 * rng_double(rng));
}

/* Makes id the same as the unknown one in all that the model holds of it. */
static void blank(struct draft *d, size_t s, size_t n_lookups, uint32_t id, uint32_t unknown)
{
    memcpy(d->remaps[s] + id * n_lookups, d->remaps[s] + unknown * n_lookups, n_lookups * sizeof(uint32_t));
    if (d->codes[s])
        d->codes[s][id] = d->codes[s][unknown];
    if (d->weights[s])
        d->weights[s][id] = d->weights[s][unknown];
    if (d->lookup_weights[s])
        memcpy(d->lookup_weights[s] + id * n_lookups, d->lookup_weights[s] + unknown * n_lookups,
               n_lookups * sizeof(float));
    if (s == SPACE_ITEM && d->bias)
        d->bias[id] = d->bias[unknown];
}

/* Classes of a space; borrowed from the draft, their codes to be packed. */
static void fill_classes(const struct random_model *spec, struct rng *rng, size_t s, struct draft *d,
                         struct space *space)
{
    uint32_t n_classes = 1u << spec->class_bits, unknown = space->n_ids;
    uint32_t *codes = d->codes[s] = allocate(unknown + (size_t)1, sizeof *codes);
    float *weights = d->class_weights[s] = allocate(n_classes, sizeof *weights);
    float *bias = s == SPACE_ITEM ? allocate(n_classes, sizeof *bias) : NULL;
    for (uint32_t i = 0; i <= unknown; i++)
        codes[i] = (uint32_t)rng_below(rng, n_classes);
    for (uint32_t c = 0; c < n_classes; c++) {
        weights[c] = random_weight(spec, rng);
        if (bias)
            bias[c] = (float)(3 * rng_normal(rng));
    }
    if (spec->values == VALUES_ORDINARY)
        weights[codes[unknown]] = 0.0f;
    if (bias)
        d->class_bias = bias;
    space->classes = (struct id_classes){.bits = spec->class_bits, .weights = weights, .bias = bias};
}

static void pack_classes(struct draft *d, size_t s, struct space *space)
{
    uint32_t bits = space->classes.bits;
    uint64_t n = space->n_ids + 1ull;
    d->class_words[s] = allocate(mapping_n_words(n, bits), sizeof(uint32_t));
    mapping_pack(d->codes[s], n, bits, d->class_words[s]);
    space->classes.words = d->class_words[s];
}

static uint32_t n_lookups_of(const struct random_model *spec, size_t s)
{
    unsigned few = s == SPACE_ITEM ? RANDOM_FEW_ITEM_LOOKUPS : RANDOM_FEW_OTHER_LOOKUPS;
    return spec->flags & few || !spec->n_lookups ? 1 : spec->n_lookups;
}

/* Near 1, of either sign; some are 0. */
static float *random_lookup_weights(size_t n, struct rng *rng)
{
    float *weights = allocate(n, sizeof *weights);
    for (size_t i = 0; i < n; i++)
        weights[i] =
            rng_below(rng, 8) ? (float)((0.25 + 1.5 * rng_double(rng)) * (rng_below(rng, 2) ? 1 : -1)) : 0.0f;
    return weights;
}

/* Mapping, weights and biases of one space; borrowed from the draft. */
static void fill_entries(const struct random_model *spec, struct rng *rng, size_t s, struct draft *d,
                         struct space *space)
{
    uint32_t unknown = space->n_ids, n_lookups = n_lookups_of(spec, s);
    size_t n = unknown + (size_t)1;
    space->n_lookups = n_lookups;
    uint32_t *remap = d->remaps[s] = allocate(n * n_lookups, sizeof *remap);
    unsigned own = spec->class_bits ? 0 : spec->flags;
    float *weights = d->weights[s] = own & RANDOM_WEIGHTS ? allocate(n, sizeof *weights) : NULL;
    float *bias = s == SPACE_ITEM && own & RANDOM_BIAS ? allocate(n, sizeof *bias) : NULL;
    if (s == SPACE_ITEM)
        d->model.bias = d->bias = bias;
    if (spec->flags & RANDOM_LOOKUP_WEIGHTS && s != SPACE_USER)
        d->lookup_weights[s] = random_lookup_weights(n * n_lookups, rng);
    for (size_t i = 0; i < n; i++) {
        for (uint32_t l = 0; l < n_lookups; l++)
            remap[i * n_lookups + l] = (uint32_t)rng_below(rng, mapping_n_choices(&d->model, space));
        if (weights)
            weights[i] = random_weight(spec, rng);
        if (bias)
            bias[i] = (float)(3 * rng_normal(rng));
    }
    if (weights && spec->values == VALUES_ORDINARY)
        weights[unknown] = 0.0f;
    if (spec->class_bits)
        fill_classes(spec, rng, s, d, space);
    for (uint32_t i = 0; (weights || spec->class_bits) && i < unknown; i++)
        if (rng_below(rng, 5) == 0)
            blank(d, s, n_lookups, i, unknown);
    if (spec->class_bits)
        pack_classes(d, s, space);
    space->weights = weights;
    space->lookup_weights = d->lookup_weights[s];
    space->remap = mapping_is_computed(spec->mapping) ? NULL : remap;
}

/* Some of the rows but the last; as many for each lookup. */
static struct own_rows random_own_rows(const struct random_model *spec, struct rng *rng, uint32_t n_lookups)
{
    uint32_t n_free = spec->n_rows - 1, n_units = n_free / n_lookups;
    if (spec->flags & RANDOM_OWN_ROWS && spec->mapping == MAPPING_QUOTIENT) /* which needs most of them */
        return (struct own_rows){.n = n_free};
    if (!(spec->flags & RANDOM_OWN_ROWS) || spec->mapping == MAPPING_STORED || n_units == 0)
        return (struct own_rows){.n = 0};
    uint32_t n = n_lookups * (1 + (uint32_t)rng_below(rng, n_units));
    return (struct own_rows){.first = (uint32_t)rng_below(rng, n_free - n + 1ull), .n = n};
}

/* Turns the entries of a space into words of the model's bits. */
static void pack(struct draft *d, size_t s, struct space *space)
{
    const struct row_mapping *mapping = &d->model.mapping;
    uint64_t n = (space->n_ids + 1ull) * space->n_lookups;
    uint32_t *words = allocate(mapping_n_words(n, mapping->bits), sizeof *words);
    mapping_pack(d->remaps[s], n, mapping->bits, words);
    free(d->remaps[s]);
    space->remap = d->remaps[s] = words;
}

static void fill_histories(const struct random_model *spec, struct rng *rng, struct draft *d)
{
    d->offsets = allocate((size_t)spec->n_users + 2, sizeof *d->offsets);
    d->history = allocate((size_t)spec->n_users * spec->max_history + 1, sizeof *d->history);
    uint32_t n = 0;
    for (uint32_t u = 0; u < spec->n_users; u++) {
        d->offsets[u] = n;
        uint32_t length = rng_below(rng, 8) ? (uint32_t)rng_below(rng, spec->max_history + 1ull) : 0;
        for (uint32_t j = 0; j < length; j++)
            d->history[n++] = (uint32_t)rng_below(rng, spec->n_items);
    }
    d->offsets[spec->n_users] = d->offsets[spec->n_users + 1] = n;
}

/* The keys of n_ids ids, borrowed from a builder. */
static struct keys make_keys(const struct random_model *spec, uint32_t n_ids, struct id_builder **builder)
{
    if (spec->keys == KEYS_DENSE || n_ids == 0)
        return (struct keys){.kind = KEYS_DENSE};
    struct collide_error err;
    assert_int_equal(id_builder_create(builder, &err), COLLIDE_OK);
    for (uint32_t d = 0; d < n_ids; d++) {
        char text[24];
        uint32_t provisional;
        int n = snprintf(text, sizeof text, "%llu", (unsigned long long)random_model_key(spec, d).number);
        assert_int_equal(id_builder_add(*builder, text, (size_t)n, &provisional, &err), COLLIDE_OK);
    }
    struct id_index index;
    const uint32_t *renumber;
    assert_int_equal(id_builder_finish(*builder, &index, &renumber, &err), COLLIDE_OK);
    assert_int_equal(index.kind, ID_U64);
    return (struct keys){.kind = KEYS_U64, .u64 = index.keys, .slots = index.slots, .n_slots = index.n_slots};
}

/* A space with keys, and with all that embedding takes if it is embedded. */
static struct space make_space(const struct random_model *spec, struct rng *rng, size_t s, uint32_t n_ids,
                               struct draft *d)
{
    struct space space = {.n_ids = n_ids};
    if (s != SPACE_USER || d->model.user_is_embedded) {
        space.own_rows = random_own_rows(spec, rng, n_lookups_of(spec, s));
        fill_entries(spec, rng, s, d, &space);
        if (spec->mapping == MAPPING_PACKED)
            pack(d, s, &space);
    }
    space.keys = make_keys(spec, n_ids, &d->keys[s]);
    return space;
}

/* Of a packed mapping's entries, at least. */
static uint32_t random_bits(const struct random_model *spec)
{
    uint32_t n_lookups = spec->n_lookups ? spec->n_lookups : 1, n_each = (spec->n_rows - 1) / n_lookups;
    bool all_alike = !(spec->flags & (RANDOM_FEW_ITEM_LOOKUPS | RANDOM_FEW_OTHER_LOOKUPS));
    return mapping_bits(spec->flags & RANDOM_OWN_ROWS && all_alike && n_each > 0 ? n_each : spec->n_rows);
}

/* The smallest one that leaves rows enough. */
static uint32_t choose_divisor(const struct random_model *spec)
{
    const uint32_t counts[] = {spec->n_items, spec->n_users, spec->n_feature_ids};
    uint32_t most = 0, m = 1;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        most = counts[i] > most ? counts[i] : most;
    while (m + (most + m - 1) / m + 1 > spec->n_rows)
        assert_true(m++ < spec->n_rows);
    return m;
}

static void draft_fill(const struct random_model *spec, struct draft *d)
{
    struct rng rng = rng_seeded(spec->seed, 1);
    struct model *m = &d->model;
    *m = (struct model){.dim = spec->dim,
                        .pooling = spec->pooling,
                        .logit_scale = 5.5f,
                        .mapping = {.kind = spec->mapping,
                                    .combine = spec->combine,
                                    .n_lookups = spec->n_lookups ? spec->n_lookups : 1,
                                    .n_parts = spec->n_parts,
                                    .bits = spec->mapping == MAPPING_PACKED ? random_bits(spec) : 0,
                                    .seed = spec->mapping == MAPPING_HASHED ? spec->seed : 0,
                                    .divisor = spec->mapping == MAPPING_QUOTIENT ? choose_divisor(spec) : 0},
                        .user_is_embedded = spec->flags & RANDOM_USER_EMBEDDED && spec->n_users > 0,
                        .features = d->features,
                        .n_features = spec->n_features};
    fill_rows(spec, &rng, d);
    m->item = make_space(spec, &rng, SPACE_ITEM, spec->n_items, d);
    fill_histories(spec, &rng, d);
    m->user = make_space(spec, &rng, SPACE_USER, spec->n_users, d);
    if (spec->n_users)
        m->histories = (struct stored_histories){.offsets = d->offsets, .items = d->history};
    for (size_t i = 0; i < spec->n_features; i++)
        d->features[i] =
            (struct feature){.name = random_model_feature(i),
                             .space = make_space(spec, &rng, SPACE_FEATURES + i, spec->n_feature_ids, d)};
}

static void draft_free(struct draft *d)
{
    void *const arrays[] = {d->offsets, d->history, d->rows, d->scales, d->bias, d->class_bias};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    for (size_t s = 0; s < MAX_SPACES; s++) {
        free(d->remaps[s]);
        free(d->weights[s]);
        free(d->codes[s]);
        free(d->class_words[s]);
        free(d->class_weights[s]);
        free(d->lookup_weights[s]);
        id_builder_destroy(d->keys[s]);
    }
}

void random_model_write(const struct random_model *spec, const char *path)
{
    struct draft draft = {.rows = NULL};
    struct collide_error err = {0};
    draft_fill(spec, &draft);
    if (model_write(&draft.model, path, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    draft_free(&draft);
}

struct collide_model *random_model_open(const struct random_model *spec)
{
    struct scratch folder;
    char path[2 * SCRATCH_PATH_BYTES];
    struct collide_error err = {0};
    struct collide_model *model = NULL;
    scratch_create(&folder);
    scratch_path(&folder, "model", path);
    random_model_write(spec, path);
    if (model_handle_open(path, MODEL_CHECK_CONTENTS, &model, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    scratch_destroy(&folder);
    return model;
}
