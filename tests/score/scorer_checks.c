#include "scorer_checks.h"

#include "random_query.h"
#include "score/reference.h"
#include "topk_truth.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_HISTORY = 150, MAX_ITEMS = 100, MAX_BATCH = 24, MAX_TOPK_BATCH = 5, MAX_DIM = 256 };

static double slack_of(const struct scorer_check *c)
{
    return c->slack > 0.0 ? c->slack : 1.0;
}

static void *allocate(struct arena *arena, size_t n, size_t item_bytes)
{
    void *p = arena_alloc(arena, n + 1, item_bytes);
    assert_non_null(p);
    return p;
}

static void compare(const struct scorer_check *c, const struct collide_query *query, const float *scores)
{
    struct reference_score truth[MAX_ITEMS];
    assert_true(query->n_items <= MAX_ITEMS);
    assert_int_equal(reference_score(c->model, query, truth, NULL), COLLIDE_OK);
    for (size_t j = 0; j < query->n_items; j++)
        error_ratios_add(c->ratios, (double)scores[j], truth[j].value, slack_of(c) * truth[j].tolerance,
                         c->where);
}

static void compare_counts(const struct scorer_check *c, const struct collide_counts *counts,
                           const struct collide_counts *expected)
{
    if (counts->n_lookups != expected->n_lookups || counts->n_unknown != expected->n_unknown)
        fail_msg("%s: %" PRIu64 " of %" PRIu64 " ids are unknown, not %" PRIu64 " of %" PRIu64, c->where,
                 counts->n_unknown, counts->n_lookups, expected->n_unknown, expected->n_lookups);
}

/* Queries as they are asked, and as the reference understands them. */
static void score_batch(const struct scorer_check *c, const struct collide_query *asked,
                        const struct collide_query *meant, size_t n, struct arena *arena)
{
    struct collide_counts counts, expected = {0};
    size_t n_scores = 0;
    for (size_t i = 0; i < n; i++) {
        n_scores += meant[i].n_items;
        if (meant[i].n_items > 0) /* of others nothing needs to be known */
            random_query_count(c->model, &meant[i], &expected);
    }
    float *scores = allocate(arena, n_scores, sizeof *scores);
    scorer_fixture_score(c->lane, asked, n, scores, &counts);
    compare_counts(c, &counts, &expected);
    for (size_t i = 0; i < n; i++) {
        compare(c, &meant[i], scores);
        scores += meant[i].n_items;
    }
}

void check_scores(const struct scorer_check *c, size_t n_wanted)
{
    static const struct random_query_limits limits = {MAX_HISTORY, MAX_ITEMS};
    struct rng rng = rng_seeded(c->spec->seed, 2);
    struct arena arena = {0};
    for (size_t done = 0, n; done < n_wanted; done += n) {
        size_t left = n_wanted - done;
        n = rng_below(&rng, (left < MAX_BATCH ? left : MAX_BATCH) + 1);
        const struct collide_query *queries = random_queries(c->spec, &limits, &rng, n, &arena);
        score_batch(c, queries, queries, n, &arena);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

/* Where the numbers of a batch lie. */
struct numbers_place {
    struct rng *rng;
    struct arena *arena;
    unsigned char *shared;
    size_t n_shared_bytes, n_used;
};

/* Room for bytes at a multiple of 4: in shared memory, or beside it. */
static void *numbers_room(struct numbers_place *p, size_t n_bytes)
{
    size_t at = p->n_used + 4 * rng_below(p->rng, 3);
    if (rng_below(p->rng, 5) == 0)
        return allocate(p->arena, n_bytes, 1);
    assert_true(at + n_bytes <= p->n_shared_bytes);
    p->n_used = at + n_bytes;
    return p->shared + at;
}

/* ids become what their numbers say; returns these. No text is one. */
static const void *numbers_of(struct numbers_place *p, const struct collide_id **ids, size_t n,
                              unsigned number_bytes)
{
    struct collide_id *meant = allocate(p->arena, n, sizeof *meant);
    unsigned char *numbers = numbers_room(p, n * number_bytes);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = (*ids)[i].text ? rng_u64(p->rng) : (*ids)[i].number;
        memcpy(numbers + i * number_bytes, &number, number_bytes);
        meant[i] = collide_id_number(number_bytes == 4 ? (uint32_t)number : number);
    }
    *ids = meant;
    return numbers;
}

/* As it is to be asked; *meant changes to what it then means. */
static struct collide_query with_numbers(struct numbers_place *p, struct collide_query *meant)
{
    unsigned number_bytes = rng_below(p->rng, 3) ? 8 : 4;
    struct collide_query asked = *meant;
    asked.number_bytes = number_bytes;
    if (rng_below(p->rng, 8)) {
        asked.history_numbers = numbers_of(p, &meant->history, meant->n_history, number_bytes);
        asked.history = NULL;
    }
    if (rng_below(p->rng, 8)) {
        asked.item_numbers = numbers_of(p, &meant->items, meant->n_items, number_bytes);
        asked.items = NULL;
    }
    return asked;
}

void check_numbers(const struct scorer_check *c, size_t n_wanted)
{
    static const struct random_query_limits limits = {MAX_HISTORY, MAX_ITEMS};
    static _Alignas(4096) unsigned char shared[256 << 10];
    struct rng rng = rng_seeded(c->spec->seed, 6);
    struct arena arena = {0};
    struct collide_error err = {0};
    if (lane_share_memory(c->lane, shared, sizeof shared, &err) != COLLIDE_OK)
        fail_msg("%s: %s", c->where, err.text);
    for (size_t done = 0, n; done < n_wanted; done += n) {
        struct numbers_place place = {
            .rng = &rng, .arena = &arena, .shared = shared, .n_shared_bytes = sizeof shared};
        size_t left = n_wanted - done;
        n = rng_below(&rng, (left < MAX_BATCH ? left : MAX_BATCH) + 1);
        struct collide_query *meant = random_queries(c->spec, &limits, &rng, n, &arena);
        struct collide_query *asked = allocate(&arena, n, sizeof *asked);
        for (size_t i = 0; i < n; i++)
            asked[i] = with_numbers(&place, &meant[i]);
        score_batch(c, asked, meant, n, &arena);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

/* Queries as they come, made into ones for the best items: what they have as candidates is left out. */
static struct collide_topk_query *topk_queries(const struct scorer_check *c, struct rng *rng, size_t n,
                                               struct arena *arena)
{
    static const struct random_query_limits limits = {.max_history = 60, .max_items = 40};
    const size_t ks[] = {0, 1, 2, 10, 100, c->spec->n_items, 2 * (size_t)c->spec->n_items + 5};
    const struct collide_query *queries = random_queries(c->spec, &limits, rng, n, arena);
    struct collide_topk_query *out = allocate(arena, n, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct collide_topk_query){.query = queries[i], .k = ks[rng_below(rng, 7)]};
        out[i].query.items = NULL;
        out[i].query.n_items = 0;
        out[i].flags = rng_below(rng, 2) ? COLLIDE_TOPK_EXCLUDE_SEEN : 0;
        if (rng_below(rng, 2)) {
            out[i].exclude = queries[i].items;
            out[i].n_exclude = queries[i].n_items;
        }
    }
    return out;
}

static void compare_hits(const struct scorer_check *c, const struct collide_topk_query *query,
                         const struct collide_hit *hits, size_t n_hits)
{
    static struct topk_truth truth;
    topk_truth_find(c->model, query, &truth);
    for (uint32_t id = 0; id < c->model->items.n_ids; id++)
        truth.scores[id].tolerance *= slack_of(c);
    topk_truth_check(&truth, c->model, hits, n_hits, c->where);
}

static void topk_batch(const struct scorer_check *c, const struct collide_topk_query *queries, size_t n,
                       struct arena *arena)
{
    const struct collide_hit guard = {.score = 123.0f};
    struct collide_error err = {0};
    struct collide_counts counts, expected = {0};
    size_t room = 0;
    for (size_t i = 0; i < n; i++) {
        room += queries[i].k;
        random_query_count(c->model, &queries[i].query, &expected);
    }
    struct collide_hit *hits = allocate(arena, room + 1, sizeof *hits);
    size_t *n_hits = allocate(arena, n, sizeof *n_hits);
    hits[room] = guard;
    if (collide_topk(c->lane, queries, n, hits, n_hits, &counts, &err) != COLLIDE_OK)
        fail_msg("%s: %s", c->where, err.text);
    assert_true(hits[room].score == guard.score);
    compare_counts(c, &counts, &expected);
    for (size_t i = 0; i < n; i++) {
        compare_hits(c, &queries[i], hits, n_hits[i]);
        hits += queries[i].k;
    }
}

void check_topk(const struct scorer_check *c, size_t n_wanted)
{
    struct rng rng = rng_seeded(c->spec->seed, 4);
    struct arena arena = {0};
    for (size_t done = 0, n; done < n_wanted; done += n) {
        size_t left = n_wanted - done;
        n = rng_below(&rng, (left < MAX_TOPK_BATCH ? left : MAX_TOPK_BATCH) + 1);
        topk_batch(c, topk_queries(c, &rng, n, &arena), n, &arena);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

static void bag_of(const struct scorer_check *c, unsigned slot, const struct collide_query *query)
{
    static const enum scoring_kernel kernel = KERNEL_BAG;
    struct device_lane *device = &c->lane->devices[0];
    double truth[MAX_DIM], tolerances[MAX_DIM];
    struct collide_error err = {0};
    struct fill fill = device_lane_fill(device, slot);
    assert_true(c->spec->dim <= MAX_DIM);
    fill_histories(&fill, query);
    fill.used.n_scores = c->spec->dim + 1;
    if (device_lane_submit(device, slot, &kernel, 1, &fill, &err) != COLLIDE_OK ||
        device_lane_wait(device, slot, &err) != COLLIDE_OK)
        fail_msg("%s: %s", c->where, err.text);
    const float *bag = device_lane_scores(device, slot);
    assert_int_equal(reference_bag(c->model, query, truth, tolerances, NULL), COLLIDE_OK);
    for (uint32_t d = 0; d < c->spec->dim; d++)
        error_ratios_add(c->ratios, (double)bag[d], truth[d], tolerances[d], c->where);
}

void check_bags(const struct scorer_check *c, size_t n)
{
    static const struct random_query_limits limits = {MAX_HISTORY, 0};
    struct rng rng = rng_seeded(c->spec->seed, 3);
    struct arena arena = {0};
    const struct collide_query *queries = random_queries(c->spec, &limits, &rng, n, &arena);
    for (size_t i = 0; i < n; i++)
        bag_of(c, (unsigned)(i % c->lane->devices[0].n_slots), &queries[i]);
    arena_free(&arena);
}
