#include "kernel_descriptor.h"

#include "base/error.h"
#include "score/reference.h"

#include <math.h>
#include <stdlib.h>

/* ---- Batches. */

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
    for (uint32_t i = 0; i < c->shape.n_queries; i++)
        f->queries[i].n_parts = parts_of_query(c, k);
    for (uint32_t i = 0; i < c->shape.n_queries; i++)
        f->queries[i].scores_begin = (uint32_t)(i * hits_of_query(c, k));
    f->used = topk_capacity(c, k);
}

/* ---- What is right. */

/* A batch's query as the reference takes it, with n_items given candidates. Owns its ids. */
struct spelled_query {
    struct collide_query query;
    struct collide_id *ids;
};

static enum collide_status spell(const struct kernel_case *c, const struct fill *f, size_t i,
                                 const uint32_t *items, size_t n_items, struct spelled_query *out,
                                 struct collide_error *err)
{
    uint32_t bag = c->shape.bag;
    out->ids = malloc((bag + n_items + 1) * sizeof *out->ids);
    if (!out->ids)
        return error_no_memory(err, "a query");
    for (size_t j = 0; j < bag; j++)
        out->ids[j] = collide_id_number(f->history[f->queries[i].history_begin + j]);
    for (size_t j = 0; j < n_items; j++)
        out->ids[bag + j] = collide_id_number(items[j]);
    out->query = (struct collide_query){
        .history = out->ids, .n_history = bag, .items = out->ids + bag, .n_items = n_items};
    return COLLIDE_OK;
}

static enum collide_status compare(const char *what, size_t query, size_t at, double got, double wanted,
                                   double tolerance, struct collide_error *err)
{
    if (fabs(got - wanted) <= tolerance)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_DEVICE, "%s %zu of query %zu is %.9g, its reference %.9g within %.3g", what,
                     at, query, got, wanted, tolerance);
}

static enum collide_status check_bag(const struct kernel_case *c, const struct kernels *k,
                                     const struct fill *f, const float *scores, size_t i,
                                     struct collide_error *err)
{
    (void)k;
    uint32_t dim = c->shape.dim;
    struct spelled_query q;
    double *values = malloc(2 * (dim + 1ull) * sizeof *values);
    enum collide_status status =
        values ? spell(c, f, i, NULL, 0, &q, err) : error_no_memory(err, "a reference bag");
    if (status == COLLIDE_OK) {
        status = reference_bag(&c->handle, &q.query, values, values + dim, err);
        for (uint32_t d = 0; d < dim && status == COLLIDE_OK; d++)
            status = compare("dimension", i, d, (double)scores[f->queries[i].scores_begin + d], values[d],
                             values[dim + d], err);
        free(q.ids);
    }
    free(values);
    return status;
}

static enum collide_status check_score(const struct kernel_case *c, const struct kernels *k,
                                       const struct fill *f, const float *scores, size_t i,
                                       struct collide_error *err)
{
    (void)k;
    const device_query *at = &f->queries[i];
    struct spelled_query q;
    struct reference_score *wanted = malloc((c->shape.n_items + 1ull) * sizeof *wanted);
    enum collide_status status = wanted
                                     ? spell(c, f, i, f->items + at->items_begin, c->shape.n_items, &q, err)
                                     : error_no_memory(err, "reference scores");
    if (status == COLLIDE_OK) {
        status = reference_score(&c->handle, &q.query, wanted, err);
        for (uint32_t j = 0; j < c->shape.n_items && status == COLLIDE_OK; j++)
            status = compare("score", i, j, (double)scores[at->items_begin + j], wanted[j].value,
                             wanted[j].tolerance, err);
        free(q.ids);
    }
    free(wanted);
    return status;
}

/* Each hit has its reference's score, and no item that is not among the hits of its part is better than the
 * worst of them, both within tolerance. */
static enum collide_status check_topk(const struct kernel_case *c, const struct kernels *k,
                                      const struct fill *f, const float *scores, size_t i,
                                      struct collide_error *err)
{
    uint32_t n_items = c->shape.n_ids;
    const device_hit *hits = (const device_hit *)(scores + f->queries[i].scores_begin);
    size_t n_hits = (size_t)f->queries[i].n_parts * KERNEL_TOPK_K, n_better = 0, n_found = 0;
    struct spelled_query q = {.ids = NULL};
    struct reference_score *wanted = malloc(n_items * sizeof *wanted);
    uint32_t *all = malloc(n_items * sizeof *all);
    enum collide_status status = wanted && all ? COLLIDE_OK : error_no_memory(err, "reference scores");
    for (uint32_t id = 0; id < n_items && status == COLLIDE_OK; id++)
        all[id] = id;
    if (status == COLLIDE_OK)
        status = spell(c, f, i, all, n_items, &q, err);
    if (status == COLLIDE_OK)
        status = reference_score(&c->handle, &q.query, wanted, err);
    double worst = INFINITY;
    for (size_t h = 0; h < n_hits && status == COLLIDE_OK; h++) {
        if (hits[h].id >= n_items)
            continue;
        const struct reference_score *w = &wanted[hits[h].id];
        status = compare("hit", i, h, (double)hits[h].score, w->value, w->tolerance, err);
        worst = f->queries[i].n_parts == 1 ? fmin(worst, w->value - w->tolerance) : -INFINITY;
        n_found++;
    }
    for (uint32_t id = 0; id < n_items && status == COLLIDE_OK; id++)
        n_better += wanted[id].value - wanted[id].tolerance > worst + 2.0 * wanted[id].tolerance;
    if (status == COLLIDE_OK && (n_found == 0 || (isfinite(worst) && n_better > KERNEL_TOPK_K)))
        status = error_set(err, COLLIDE_DEVICE, "query %zu: %zu items are better than the worst of %zu hits",
                           i, n_better, n_found);
    free(q.ids);
    free(all);
    free(wanted);
    return status;
}

const struct kernel_descriptor kernel_bag = {.name = "bag",
                                             .steps = {KERNEL_BAG},
                                             .n_steps = 1,
                                             .n_lookups = history_lookups,
                                             .capacity = bag_capacity,
                                             .fill = fill_bags,
                                             .check = check_bag};
const struct kernel_descriptor kernel_score = {.name = "score",
                                               .steps = {KERNEL_SCORE},
                                               .n_steps = 1,
                                               .n_lookups = all_lookups,
                                               .capacity = score_capacity,
                                               .fill = fill_scores,
                                               .check = check_score};
const struct kernel_descriptor kernel_topk = {.name = "topk",
                                              .steps = {KERNEL_ROWS, KERNEL_TOPK},
                                              .n_steps = 2,
                                              .n_lookups = history_lookups,
                                              .capacity = topk_capacity,
                                              .fill = fill_topks,
                                              .check = check_topk};
const struct kernel_descriptor *const kernel_descriptors[] = {&kernel_bag, &kernel_score, &kernel_topk};
const size_t n_kernel_descriptors = sizeof kernel_descriptors / sizeof kernel_descriptors[0];
