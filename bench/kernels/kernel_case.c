#include "kernel_case.h"

#include "base/error.h"
#include "model/cost.h"
#include "model/mapping.h"
#include "zipf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE_BYTES = 2 << 20 };

enum { CASE_REMAP, CASE_ROWS, CASE_SCALES, CASE_BIAS };

static const double ZIPF_EXPONENT = 1.05;

const char *distribution_name(enum id_distribution d)
{
    static const char *const names[N_DISTRIBUTIONS] = {
        [IDS_UNIFORM] = "uniform", [IDS_ZIPF_ORDERED] = "zipf", [IDS_ZIPF_SHUFFLED] = "zipf-shuffled"};
    return names[d];
}

static struct row_table rows_of(const struct kernel_shape *shape)
{
    return (struct row_table){.n = shape->n_rows,
                              .width = shape->dim,
                              .precision = row_form_precision(shape->form),
                              .scaling = row_form_scaling(shape->form)};
}

/* Zeroed; NULL when out of memory, or of nothing. */
static void *table_allocate(size_t n_bytes)
{
    size_t rounded = (n_bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    void *bytes = n_bytes ? aligned_alloc(HUGE_PAGE_BYTES, rounded) : NULL;
    if (!bytes)
        return NULL;
    madvise(bytes, rounded, MADV_HUGEPAGE); /* a system without them is slower, not wrong */
    return memset(bytes, 0, rounded);
}

static uint16_t random_half(struct rng *rng)
{
    /* sign, an exponent around 2^-2, ten bits of fraction */
    uint64_t bits = rng_u64(rng);
    return (uint16_t)((bits & 0x8000u) | ((12 + (bits >> 16) % 3) << 10) | (bits >> 32 & 1023));
}

static void fill_scales(struct kernel_case *c)
{
    size_t n_bytes = row_scale_bytes(&c->model);
    float *scales = c->tables[CASE_SCALES];
    uint16_t *pairs = c->tables[CASE_SCALES];
    if (row_scale_precision(&c->model.rows) == PRECISION_F16)
        for (size_t i = 0; i < n_bytes / sizeof *pairs; i++)
            pairs[i] = random_half(&c->rng);
    else
        for (size_t i = 0; i < n_bytes / sizeof *scales; i++)
            scales[i] = (float)(rng_double(&c->rng) + 0.5) / 127.0f;
}

/* Quantised values are any bits. */
static void fill_rows(struct kernel_case *c)
{
    struct row_table *rows = &c->model.rows;
    size_t n_values = (size_t)rows->n * rows->width, n_bytes = rows->n * row_bytes(rows);
    if (rows->precision == PRECISION_F32)
        for (size_t i = 0; i < n_values; i++)
            ((float *)c->tables[CASE_ROWS])[i] = (float)rng_double(&c->rng) - 0.5f;
    else if (rows->precision == PRECISION_F16)
        for (size_t i = 0; i < n_values; i++)
            ((uint16_t *)c->tables[CASE_ROWS])[i] = random_half(&c->rng);
    else
        for (size_t i = 0; i < n_bytes; i += sizeof(uint64_t)) {
            uint64_t bits = rng_u64(&c->rng); /* tables are rounded up to whole pages */
            memcpy((char *)c->tables[CASE_ROWS] + i, &bits, sizeof bits);
        }
    fill_scales(c);
    for (size_t i = 0; c->tables[CASE_BIAS] && i <= c->shape.n_ids; i++)
        ((float *)c->tables[CASE_BIAS])[i] = (float)rng_double(&c->rng);
}

/* Every row is used. Ids in the order of their frequency have rows in that order; others have any. */
static void draw_rows(struct kernel_case *c, uint32_t *entries, uint64_t n)
{
    uint32_t n_rows = c->shape.n_rows;
    bool ordered = c->shape.distribution == IDS_ZIPF_ORDERED;
    for (uint64_t id = 0; id < n; id++)
        entries[id] = ordered       ? (uint32_t)(id * n_rows / n)
                      : id < n_rows ? (uint32_t)id
                                    : (uint32_t)rng_below(&c->rng, n_rows);
    /* Those that came in turn are put in any order; a swap is a cache miss, so only they are. */
    for (uint64_t id = n < n_rows ? n - 1 : n_rows - 1; !ordered && id > 0; id--) {
        uint64_t other = rng_below(&c->rng, id + 1);
        uint32_t row = entries[id];
        entries[id] = entries[other];
        entries[other] = row;
    }
}

static enum collide_status fill_remap(struct kernel_case *c, struct collide_error *err)
{
    const struct kernel_shape *shape = &c->shape;
    uint64_t n = shape->n_ids + 1ull;
    uint32_t *entries = table_allocate(n * sizeof *entries);
    if (!entries)
        return error_no_memory(err, "the benchmark's mapping; try fewer --ids");
    draw_rows(c, entries, n);
    c->tables[CASE_REMAP] = entries;
    if (!shape->packed)
        return COLLIDE_OK;
    uint32_t bits = mapping_bits(shape->n_rows);
    uint32_t *words = table_allocate(mapping_n_words(n, bits) * sizeof *words);
    if (words)
        mapping_pack(entries, n, bits, words);
    free(entries);
    c->tables[CASE_REMAP] = words;
    c->model.mapping.kind = MAPPING_PACKED;
    c->model.mapping.bits = bits;
    return words ? COLLIDE_OK : error_no_memory(err, "the benchmark's packed mapping");
}

static enum collide_status allocate(struct kernel_case *c, struct collide_error *err)
{
    size_t scale_bytes = row_scale_bytes(&c->model);
    size_t rows_bytes = c->model.rows.n * row_bytes(&c->model.rows);
    c->tables[CASE_ROWS] = table_allocate(rows_bytes);
    c->tables[CASE_SCALES] = table_allocate(scale_bytes);
    c->tables[CASE_BIAS] = table_allocate(c->shape.biased ? (c->shape.n_ids + 1ull) * sizeof(float) : 0);
    if (!c->tables[CASE_ROWS] || (scale_bytes && !c->tables[CASE_SCALES]) ||
        (c->shape.biased && !c->tables[CASE_BIAS]))
        return error_no_memory(err, "the benchmark's tables; try fewer --ids or --rows");
    return COLLIDE_OK;
}

enum collide_status kernel_case_create(const struct kernel_shape *shape, uint64_t seed,
                                       struct kernel_case **out, struct collide_error *err)
{
    struct kernel_case *c = calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, "a benchmark");
    c->shape = *shape;
    c->rng = rng_seeded(seed, 0);
    c->model = (struct model){.dim = shape->dim,
                              .logit_scale = 1.0f,
                              .rows = rows_of(shape),
                              .mapping = {.n_lookups = 1},
                              .item = {.n_ids = shape->n_ids}};
    c->handle = (struct collide_model){.model = &c->model, .items = {.n_ids = shape->n_ids}};
    enum collide_status status = allocate(c, err);
    if (status == COLLIDE_OK)
        status = fill_remap(c, err);
    if (status != COLLIDE_OK) {
        kernel_case_destroy(c);
        return status;
    }
    fill_rows(c);
    c->model.rows.values = c->tables[CASE_ROWS];
    c->model.rows.scales = c->tables[CASE_SCALES];
    c->model.item.remap = c->tables[CASE_REMAP];
    c->model.bias = c->tables[CASE_BIAS];
    *out = c;
    return COLLIDE_OK;
}

void kernel_case_destroy(struct kernel_case *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < sizeof c->tables / sizeof c->tables[0]; i++)
        free(c->tables[i]);
    free(c);
}

uint32_t kernel_case_draw(struct kernel_case *c)
{
    if (c->shape.distribution == IDS_UNIFORM)
        return (uint32_t)rng_below(&c->rng, c->shape.n_ids);
    uint64_t rank = zipf_draw(&c->rng, ZIPF_EXPONENT, c->shape.n_ids);
    if (c->shape.distribution ==
        IDS_ZIPF_SHUFFLED) /* a permutation would be another table to miss the caches on */
        rank = rank * 0x9E3779B97F4A7C15u >> 11;
    return (uint32_t)(rank % c->shape.n_ids);
}

double kernel_case_lookup_lines(const struct kernel_case *c)
{
    return cost_of_embedding(&c->model).lines + cost_of_weight(&c->model).lines;
}

double kernel_case_lookup_bytes(const struct kernel_case *c)
{
    return sizeof(uint32_t) + cost_of_embedding(&c->model).bytes + cost_of_weight(&c->model).bytes;
}
