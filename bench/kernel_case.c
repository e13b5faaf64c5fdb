#include "kernel_case.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE_BYTES = 2 << 20 };

/* Zeroed, for table_free; NULL when out of memory. */
static void *table_allocate(size_t n_bytes)
{
    size_t rounded = (n_bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    void *bytes = aligned_alloc(HUGE_PAGE_BYTES, rounded);
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

static void fill_rows(struct kernel_case *c, void *rows, float *scales)
{
    size_t n = (size_t)c->shape.n_rows * c->shape.dim;
    for (size_t i = 0; i < n; i++)
        switch (c->shape.precision) {
        case PRECISION_F32:
            ((float *)rows)[i] = (float)rng_double(&c->rng) - 0.5f;
            break;
        case PRECISION_F16:
            ((uint16_t *)rows)[i] = random_half(&c->rng);
            break;
        case PRECISION_I8:
            ((int8_t *)rows)[i] = (int8_t)((int)rng_below(&c->rng, 255) - 127);
            break;
        }
    for (uint32_t r = 0; scales && r < c->shape.n_rows; r++)
        scales[r] = (float)(rng_double(&c->rng) + 0.5) / 127.0f;
}

enum collide_status kernel_case_create(const struct kernel_shape *shape, uint64_t seed,
                                       struct kernel_case **out, struct collide_error *err)
{
    struct kernel_case *c = calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, "a benchmark");
    c->shape = *shape;
    c->rng = rng_seeded(seed, 0);
    c->model = (struct model){
        .dim = shape->dim,
        .pooling = POOLING_SUM,
        .logit_scale = 1.0f,
        .item = {.n_ids = shape->n_ids, .n_rows = shape->n_rows, .precision = shape->precision}};
    uint32_t *remap = table_allocate(((size_t)shape->n_ids + 1) * sizeof *remap);
    void *rows = table_allocate((size_t)shape->n_rows * model_row_bytes(&c->model));
    float *scales = shape->precision == PRECISION_I8 ? table_allocate(shape->n_rows * sizeof *scales) : NULL;
    c->ids = table_allocate((size_t)shape->n_bags * shape->bag * sizeof *c->ids);
    c->model.item.remap = remap;
    c->model.item.rows = rows;
    c->model.item.scales = scales;
    if (!remap || !rows || !c->ids || (shape->precision == PRECISION_I8 && !scales)) {
        kernel_case_destroy(c);
        return error_no_memory(err, "the benchmark's tables; try fewer --ids or --rows");
    }
    /* Every row is used, in no order that a cache could profit from. */
    for (uint32_t id = 0; id <= shape->n_ids; id++)
        remap[id] = id % shape->n_rows;
    for (uint32_t id = shape->n_ids; id > 0; id--) {
        uint32_t other = (uint32_t)rng_below(&c->rng, id + 1ull), row = remap[id];
        remap[id] = remap[other];
        remap[other] = row;
    }
    fill_rows(c, rows, scales);
    *out = c;
    return COLLIDE_OK;
}

void kernel_case_destroy(struct kernel_case *c)
{
    if (!c)
        return;
    free((void *)(uintptr_t)c->model.item.remap);
    free((void *)(uintptr_t)c->model.item.rows);
    free((void *)(uintptr_t)c->model.item.scales);
    free(c->ids);
    free(c);
}

void kernel_case_draw_ids(struct kernel_case *c)
{
    size_t n = (size_t)c->shape.n_bags * c->shape.bag;
    for (size_t i = 0; i < n; i++)
        c->ids[i] = (uint32_t)rng_below(&c->rng, c->shape.n_ids);
}

uint64_t kernel_case_lookup_bytes(const struct kernel_case *c)
{
    return sizeof(uint32_t) + sizeof(uint32_t) + model_row_bytes(&c->model) +
           (c->model.item.scales ? sizeof(float) : 0);
}
