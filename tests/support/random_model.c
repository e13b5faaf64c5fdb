#include "support/random_model.h"

#include "base/rng.h"
#include "data/id_index.h"
#include "model/write.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A model under construction, its arrays owned. */
struct draft {
    struct model model;
    uint32_t *remap, *offsets, *history;
    void *rows;
    float *scales, *weights, *bias;
    struct id_builder *item_keys, *user_keys;
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

static void fill_row(const struct random_model *spec, struct rng *rng, uint32_t row, struct draft *d)
{
    enum row_kind kind =
        spec->values == VALUES_EXTREME ? (enum row_kind)rng_below(rng, N_ROW_KINDS) : ROW_ORDINARY;
    double size = row_size(kind, spec->dim);
    uint32_t hot = (uint32_t)rng_below(rng, spec->dim);
    for (uint32_t v = 0; v < spec->dim; v++) {
        size_t i = (size_t)row * spec->dim + v;
        double value = kind == ROW_ONE_HOT && v != hot ? 0 : size;
        if (spec->precision == PRECISION_F32)
            ((float *)d->rows)[i] = (float)(value * rng_normal(rng));
        else if (spec->precision == PRECISION_F16)
            ((uint16_t *)d->rows)[i] = random_half(rng, value);
        else
            ((int8_t *)d->rows)[i] = value > 0 ? (int8_t)((int)rng_below(rng, 256) - 128) : 0;
    }
    if (spec->precision == PRECISION_I8)
        d->scales[row] = (float)(size * (0.5 + rng_double(rng)) / 64);
}

static float random_weight(const struct random_model *spec, struct rng *rng)
{
    static const float extremes[] = {0.0f, 1e-6f, -1.0f, 1e4f, -1e4f, 1e-18f};
    if (spec->values == VALUES_EXTREME && rng_below(rng, 3) == 0)
        return extremes[rng_below(rng, sizeof extremes / sizeof *extremes)];
    return (float)(0.25 + 1.5 * rng_double(rng));
}

static void fill_entries(const struct random_model *spec, struct rng *rng, struct draft *d)
{
    uint32_t unknown = spec->n_items;
    for (uint32_t i = 0; i <= unknown; i++) {
        d->remap[i] = (uint32_t)rng_below(rng, spec->n_rows);
        if (d->weights)
            d->weights[i] = random_weight(spec, rng);
        if (d->bias)
            d->bias[i] = (float)(3 * rng_normal(rng));
    }
    if (d->weights && spec->values == VALUES_ORDINARY)
        d->weights[unknown] = 0.0f;
    for (uint32_t i = 0; d->weights && i < unknown; i++)
        if (rng_below(rng, 5) == 0) {
            d->remap[i] = d->remap[unknown];
            d->weights[i] = d->weights[unknown];
            if (d->bias)
                d->bias[i] = d->bias[unknown];
        }
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

static void draft_fill(const struct random_model *spec, struct draft *d)
{
    struct rng rng = rng_seeded(spec->seed, 1);
    size_t n_entries = (size_t)spec->n_items + 1;
    struct model *m = &d->model;
    *m = (struct model){.dim = spec->dim, .pooling = spec->pooling, .logit_scale = 5.5f};
    m->item.precision = spec->precision;
    d->rows = allocate(spec->n_rows, model_row_bytes(m));
    d->scales = spec->precision == PRECISION_I8 ? allocate(spec->n_rows, sizeof(float)) : NULL;
    d->remap = allocate(n_entries, sizeof(uint32_t));
    d->weights = spec->flags & RANDOM_WEIGHTS ? allocate(n_entries, sizeof(float)) : NULL;
    d->bias = spec->flags & RANDOM_BIAS ? allocate(n_entries, sizeof(float)) : NULL;
    for (uint32_t row = 0; row < spec->n_rows; row++)
        fill_row(spec, &rng, row, d);
    fill_entries(spec, &rng, d);
    fill_histories(spec, &rng, d);
    m->item = (struct item_space){.n_ids = spec->n_items,
                                  .n_rows = spec->n_rows,
                                  .precision = spec->precision,
                                  .keys = make_keys(spec, spec->n_items, &d->item_keys),
                                  .remap = d->remap,
                                  .rows = d->rows,
                                  .scales = d->scales,
                                  .weights = d->weights,
                                  .bias = d->bias};
    m->user = (struct user_space){.n_ids = spec->n_users,
                                  .keys = make_keys(spec, spec->n_users, &d->user_keys),
                                  .offsets = d->offsets,
                                  .history = d->history};
}

static void draft_free(struct draft *d)
{
    void *const arrays[] = {d->remap, d->offsets, d->history, d->rows, d->scales, d->weights, d->bias};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    id_builder_destroy(d->item_keys);
    id_builder_destroy(d->user_keys);
}

void random_model_write(const struct random_model *spec, const char *path)
{
    struct draft draft = {.remap = NULL};
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
