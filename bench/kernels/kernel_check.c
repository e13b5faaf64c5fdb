#include "kernel_check.h"

#include "base/error.h"
#include "score/reference.h"
#include "score/topk.h"

#include <math.h>
#include <stdlib.h>

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

enum collide_status kernel_check_bag(const struct kernel_case *c, const struct fill *f, const float *scores,
                                     size_t i, struct collide_error *err)
{
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

enum collide_status kernel_check_score(const struct kernel_case *c, const struct fill *f, const float *scores,
                                       size_t i, struct collide_error *err)
{
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

/* ---- Top-k. */

/* What a top-k query is checked with. */
struct topk_truth {
    struct reference_score *scores; /* (n_ids) of every item */
    struct scored_id *hits;         /* (k) */
    uint8_t *is_hit;                /* (n_ids) */
};

static void truth_free(struct topk_truth *t)
{
    free(t->scores);
    free(t->hits);
    free(t->is_hit);
}

static enum collide_status score_every_item(const struct kernel_case *c, const struct fill *f, size_t i,
                                            struct reference_score *out, struct collide_error *err)
{
    uint32_t n_items = c->shape.n_ids;
    struct spelled_query q = {.ids = NULL};
    uint32_t *all = malloc(n_items * sizeof *all);
    if (!all)
        return error_no_memory(err, "a query for every item");
    for (uint32_t id = 0; id < n_items; id++)
        all[id] = id;
    enum collide_status status = spell(c, f, i, all, n_items, &q, err);
    if (status == COLLIDE_OK)
        status = reference_score(&c->handle, &q.query, out, err);
    free(q.ids);
    free(all);
    return status;
}

static enum collide_status truth_create(const struct kernel_case *c, const struct fill *f, size_t i,
                                        struct topk_truth *out, struct collide_error *err)
{
    size_t n_items = c->shape.n_ids;
    *out = (struct topk_truth){.scores = malloc(n_items * sizeof *out->scores),
                               .hits = malloc((f->queries[i].k + 1ull) * sizeof *out->hits),
                               .is_hit = calloc(n_items, sizeof *out->is_hit)};
    enum collide_status status = out->scores && out->hits && out->is_hit
                                     ? score_every_item(c, f, i, out->scores, err)
                                     : error_no_memory(err, "a reference for top-k");
    if (status != COLLIDE_OK)
        truth_free(out);
    return status;
}

/* The best of what a query's parts have selected, in order. Returns how many. */
static size_t merge_parts(const device_query *q, const device_hit *found, struct scored_id *hits)
{
    struct topk best = {.entries = hits, .capacity = q->k};
    for (size_t j = 0; j < (size_t)q->n_parts * q->k; j++)
        if (found[j].id != ID_BY_KEY)
            topk_offer(&best, (struct scored_id){.score = found[j].score, .id = found[j].id});
    topk_sort(&best);
    return best.n;
}

/* Distinct items, each with its reference's score. */
static enum collide_status check_hits(const struct kernel_case *c, struct topk_truth *t, size_t n_hits,
                                      size_t i, struct collide_error *err)
{
    for (size_t j = 0; j < n_hits; j++) {
        uint32_t id = t->hits[j].id;
        if (id >= c->shape.n_ids || t->is_hit[id])
            return error_set(err, COLLIDE_DEVICE, "hit %zu of query %zu is item %u, %s", j, i, id,
                             id >= c->shape.n_ids ? "which there is not" : "once more");
        t->is_hit[id] = 1;
        enum collide_status status =
            compare("hit", i, j, (double)t->hits[j].score, t->scores[id].value, t->scores[id].tolerance, err);
        if (status != COLLIDE_OK)
            return status;
    }
    return COLLIDE_OK;
}

/* No other item is better than the last hit by more than both may be off. */
static enum collide_status check_others(const struct kernel_case *c, const struct topk_truth *t,
                                        size_t n_hits, size_t i, struct collide_error *err)
{
    const struct reference_score *last = &t->scores[t->hits[n_hits - 1].id];
    for (uint32_t id = 0; id < c->shape.n_ids; id++) {
        const struct reference_score *other = &t->scores[id];
        if (!t->is_hit[id] && other->value - other->tolerance > last->value + last->tolerance)
            return error_set(err, COLLIDE_DEVICE,
                             "query %zu: item %u, of %.9g, is better than the last of %zu hits, of %.9g", i,
                             id, other->value, n_hits, last->value);
    }
    return COLLIDE_OK;
}

enum collide_status kernel_check_topk(const struct kernel_case *c, const struct fill *f, const float *scores,
                                      size_t i, struct collide_error *err)
{
    const device_query *q = &f->queries[i];
    size_t n_wanted = q->k < c->shape.n_ids ? q->k : c->shape.n_ids;
    struct topk_truth truth;
    enum collide_status status = truth_create(c, f, i, &truth, err);
    if (status != COLLIDE_OK)
        return status;
    size_t n_hits = merge_parts(q, (const device_hit *)(scores + q->scores_begin), truth.hits);
    if (n_hits != n_wanted)
        status = error_set(err, COLLIDE_DEVICE, "query %zu has %zu hits instead of %zu", i, n_hits, n_wanted);
    if (status == COLLIDE_OK)
        status = check_hits(c, &truth, n_hits, i, err);
    if (status == COLLIDE_OK && n_hits > 0)
        status = check_others(c, &truth, n_hits, i, err);
    truth_free(&truth);
    return status;
}
