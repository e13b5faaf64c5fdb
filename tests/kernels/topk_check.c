#include "topk_check.h"

#include "truth.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A shard selects among the items whose rows it has: where there are several, none has them all. */
static bool is_offered(const struct setting *s)
{
    return !s->spec->sharded || s->spec->kernels->n_lookups == 1;
}

static uint32_t max_k(const struct setting *s)
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < s->sizes.n_queries; i++)
        k = s->queries[i].k > k ? s->queries[i].k : k;
    return k;
}

/* The hits of each part of each query; (n_queries, n_parts * max_k) of which the first n_parts * k. Owned. */
static device_hit *hits_of(const struct setting *s)
{
    uint32_t n_queries = s->sizes.n_queries, n_parts = s->queries[0].n_parts;
    size_t n_chunks = s->spec->kernels->n_parts;
    size_t n_rows = s->params.row_end - s->params.row_begin;
    float *row_scores = block(n_queries * n_chunks * n_rows, sizeof *row_scores);
    free(setting_run(s, AS_C_ROWS, (size_t)n_queries * n_parts, row_scores, 0));
    void *hits = setting_run(s, AS_C_TOPK, (size_t)n_queries * n_parts, row_scores,
                             (size_t)n_queries * n_parts * max_k(s) * 2);
    free(row_scores);
    return hits;
}

static bool list_has(const uint32_t *ids, uint32_t begin, uint32_t end, uint32_t id)
{
    for (uint32_t j = begin; j < end; j++)
        if (ids[j] == id)
            return true;
    return false;
}

static bool is_candidate(const struct setting *s, const device_query *q, uint32_t item)
{
    uint32_t begin, end, row = setting_row(s, item, 0);
    if (setting_is_blank(s, item) || list_has(s->items.meant, q->items_begin, q->items_end, item))
        return false;
    if (s->spec->sharded && (row < s->params.row_begin || row >= s->params.row_end))
        return false;
    setting_history(s, q->user, &begin, &end);
    return !(q->flags & QUERY_EXCLUDE_SEEN) ||
           !(list_has(s->history.meant, q->history_begin, q->history_end, item) ||
             list_has(s->tables[AS_C_USER_HISTORY].entries, begin, end, item));
}

static int best_first(const void *a, const void *b)
{
    const device_hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Whether two items cannot but have one score. */
static bool are_alike(const struct setting *s, uint32_t x, uint32_t y)
{
    bool alike = setting_bias(s, x) == setting_bias(s, y);
    for (uint32_t l = 0; l < s->spec->kernels->n_lookups; l++)
        alike = alike && setting_row(s, x, l) == setting_row(s, y, l) &&
                setting_lookup_weight(s, x, l) == setting_lookup_weight(s, y, l);
    return alike;
}

static void check_missed(const struct setting *s, const struct truth_bag *bag, uint32_t item,
                         const device_hit *hits, uint32_t n)
{
    struct near score = truth_hit(s, bag, item);
    for (uint32_t i = 0; i < n; i++) {
        struct near hit = truth_hit(s, bag, hits[i].id);
        if (score.value - score.tolerance > hit.value + hit.tolerance ||
            (item < hits[i].id && are_alike(s, item, hits[i].id)))
            fail_msg("item %u is better than hit %u", item, hits[i].id);
    }
}

/* hits: the best n of all parts, best first. */
static void check_hits(const struct setting *s, const device_query *q, const device_hit *hits, uint32_t n)
{
    struct truth_bag bag = truth_query_create(s, q);
    uint32_t n_candidates = 0;
    for (uint32_t item = 0; item < s->sizes.n_items; item++) {
        uint32_t i = 0;
        while (i < n && hits[i].id != item)
            i++;
        bool is_one = is_candidate(s, q, item);
        n_candidates += is_one;
        if (i == n) {
            if (is_one)
                check_missed(s, &bag, item, hits, n);
            continue;
        }
        struct near score = truth_hit(s, &bag, item);
        assert_true(is_one);
        assert_true(fabs((double)hits[i].score - score.value) <= score.tolerance);
        assert_false(i + 1 < n && hits[i + 1].id == item);
    }
    assert_int_equal(n, n_candidates < q->k ? n_candidates : q->k);
    truth_bag_destroy(&bag);
}

/* What a host does with the parts' hits: puts the best first. */
static void check_query(const struct setting *s, const device_query *q, device_hit *hits)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->queries[0].n_parts * q->k; i++)
        if (hits[i].id != ID_BY_KEY) {
            assert_true(hits[i].id < s->sizes.n_items);
            hits[n++] = hits[i];
        }
    qsort(hits, n, sizeof *hits, best_first);
    check_hits(s, q, hits, n < q->k ? n : q->k);
}

void topk_check(const struct setting *s)
{
    if (!is_offered(s))
        return;
    device_hit *hits = hits_of(s);
    for (uint32_t i = 0; i < s->sizes.n_queries; i++)
        check_query(s, &s->queries[i], hits + (size_t)i * s->queries[0].n_parts * max_k(s));
    free(hits);
}

void topk_run(const struct setting *s)
{
    if (is_offered(s))
        free(hits_of(s));
}
