#include "kernel_descriptor.h"

#include "kernel_check.h"

static size_t history_lookups(const struct kernel_shape *shape)
{
    return (size_t)shape->n_queries * shape->bag;
}

static size_t all_lookups(const struct kernel_shape *shape)
{
    return (size_t)shape->n_queries * (shape->bag + shape->n_items);
}

static struct fill_capacity bag_capacity(const struct kernel_case *c, const struct kernels *k)
{
    (void)k;
    const struct kernel_shape *s = &c->shape;
    return (struct fill_capacity){.n_queries = s->n_queries,
                                  .n_history = history_lookups(s),
                                  .n_scores = (size_t)s->n_queries * (s->dim + 1)};
}

static struct fill_capacity score_capacity(const struct kernel_case *c, const struct kernels *k)
{
    (void)k;
    const struct kernel_shape *s = &c->shape;
    size_t n_items = (size_t)s->n_queries * s->n_items;
    return (struct fill_capacity){
        .n_queries = s->n_queries, .n_history = history_lookups(s), .n_items = n_items, .n_scores = n_items};
}

/* As lane_topk.c chooses them. */
static uint32_t parts_of_query(const struct kernel_case *c, const struct kernels *k)
{
    uint32_t n = k->max_parts / c->shape.n_queries;
    return n ? n : 1;
}

static size_t hits_of_query(const struct kernel_case *c, const struct kernels *k)
{
    return (size_t)parts_of_query(c, k) * KERNEL_TOPK_K * (sizeof(device_hit) / sizeof(float));
}

static struct fill_capacity topk_capacity(const struct kernel_case *c, const struct kernels *k)
{
    const struct kernel_shape *s = &c->shape;
    return (struct fill_capacity){.n_queries = s->n_queries,
                                  .n_history = history_lookups(s),
                                  .n_row_scores = s->n_queries * kernels_n_row_scores(k),
                                  .n_scores = s->n_queries * hits_of_query(c, k)};
}

static void draw_histories(struct kernel_case *c, struct fill *f)
{
    const struct kernel_shape *s = &c->shape;
    for (uint32_t i = 0; i < s->n_queries; i++)
        f->queries[i] = (device_query){.user = c->model.user.n_ids,
                                       .history_begin = i * s->bag,
                                       .history_end = (i + 1) * s->bag,
                                       .k = KERNEL_TOPK_K,
                                       .n_parts = 1};
    for (size_t j = 0; j < history_lookups(s); j++) {
        f->history[j] = kernel_case_draw(c);
        f->history_weights[j] = 1.0f;
    }
}

static void fill_bags(struct kernel_case *c, const struct kernels *k, struct fill *f)
{
    draw_histories(c, f);
    for (uint32_t i = 0; i < c->shape.n_queries; i++)
        f->queries[i].scores_begin = i * (c->shape.dim + 1);
    f->used = bag_capacity(c, k);
}

static void fill_scores(struct kernel_case *c, const struct kernels *k, struct fill *f)
{
    const struct kernel_shape *s = &c->shape;
    draw_histories(c, f);
    for (uint32_t i = 0; i < s->n_queries; i++) {
        f->queries[i].items_begin = i * s->n_items;
        f->queries[i].items_end = (i + 1) * s->n_items;
    }
    for (size_t j = 0; j < (size_t)s->n_queries * s->n_items; j++)
        f->items[j] = kernel_case_draw(c);
    f->used = score_capacity(c, k);
}

static void fill_topks(struct kernel_case *c, const struct kernels *k, struct fill *f)
{
    draw_histories(c, f);
    for (uint32_t i = 0; i < c->shape.n_queries; i++) {
        f->queries[i].n_parts = parts_of_query(c, k);
        f->queries[i].scores_begin = (uint32_t)(i * hits_of_query(c, k));
    }
    f->used = topk_capacity(c, k);
}

const struct kernel_descriptor kernel_bag = {.name = "bag",
                                             .steps = {KERNEL_BAG},
                                             .n_steps = 1,
                                             .n_lookups = history_lookups,
                                             .capacity = bag_capacity,
                                             .fill = fill_bags,
                                             .check = kernel_check_bag};
const struct kernel_descriptor kernel_score = {.name = "score",
                                               .steps = {KERNEL_SCORE},
                                               .n_steps = 1,
                                               .n_lookups = all_lookups,
                                               .capacity = score_capacity,
                                               .fill = fill_scores,
                                               .check = kernel_check_score};
const struct kernel_descriptor kernel_topk = {.name = "topk",
                                              .steps = {KERNEL_ROWS, KERNEL_TOPK},
                                              .n_steps = 2,
                                              .n_lookups = history_lookups,
                                              .capacity = topk_capacity,
                                              .fill = fill_topks,
                                              .check = kernel_check_topk};
const struct kernel_descriptor *const kernel_descriptors[] = {&kernel_bag, &kernel_score, &kernel_topk};
const size_t n_kernel_descriptors = sizeof kernel_descriptors / sizeof kernel_descriptors[0];
