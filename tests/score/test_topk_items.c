/* The k best of all items, on every device and with every engine, against scoring them all in double. */
#include "model_choice.h"
#include "random_query.h"
#include "scorer_fixture.h"
#include "topk_truth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_EXCLUDE = 40, N_QUERIES = 60 };

static struct topk_truth truth;

static void ask(struct collide_lane *lane, const struct collide_model *model,
                const struct collide_topk_query *query, const char *where)
{
    static struct collide_hit hits[TOPK_TRUTH_MAX_ITEMS + 1];
    const struct collide_hit guard = {.score = 123.0f};
    struct collide_error err = {0};
    struct collide_counts counts = {0};
    size_t n = 99;
    size_t room = query->k < model->items.n_ids ? query->k : model->items.n_ids;
    hits[room] = guard;
    if (collide_topk(lane, query, hits, &n, &counts, &err) != COLLIDE_OK)
        fail_msg("%s: %s", where, err.text);
    assert_true(hits[room].score == guard.score);
    assert_int_equal(counts.n_lookups, (query->query.user != NULL) + query->query.n_history);
    topk_truth_find(model, query, &truth);
    topk_truth_check(&truth, model, hits, n, where);
}

static void ask_many(const struct random_model *spec, const struct collide_model *model,
                     struct collide_lane *lane, const char *where)
{
    static const struct random_query_limits limits = {.max_history = 60, .max_items = MAX_EXCLUDE};
    static const size_t ks[] = {0, 1, 2, 10, 100, TOPK_TRUTH_MAX_ITEMS, SIZE_MAX};
    struct rng rng = rng_seeded(spec->seed, 4);
    struct arena arena = {0};
    const struct collide_query *queries = random_queries(spec, &limits, &rng, N_QUERIES, &arena);
    for (size_t i = 0; i < N_QUERIES; i++) {
        struct collide_topk_query query = {.query = queries[i], .k = ks[i % 7]};
        if (i % 2) {
            query.exclude = queries[i].items;
            query.n_exclude = queries[i].n_items;
        }
        query.flags = i / 2 % 2 ? COLLIDE_TOPK_EXCLUDE_SEEN : 0;
        query.query.items = NULL;
        query.query.n_items = 0;
        ask(lane, model, &query, where);
    }
    arena_free(&arena);
}

static void on_every_setup(const struct random_model *spec,
                           void (*body)(const struct random_model *spec, const struct collide_model *model,
                                        struct collide_lane *lane, const char *where))
{
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    struct collide_model *model = random_model_open(spec);
    for (size_t s = 0; s < n_setups; s++) {
        struct scorer_fixture f;
        char what[128], on[96], where[256];
        snprintf(where, sizeof where, "%s, on %s", model_describe(spec, what, sizeof what),
                 devices_describe(&setups[s], on, sizeof on));
        scorer_fixture_open(model, &setups[s], &f);
        body(spec, model, f.lane, where);
        scorer_fixture_close(&f);
    }
    collide_model_close(model);
}

static void best_items_are_those_of_scoring_them_all(void **state)
{
    (void)state;
    static const unsigned models[] = {3, 7, 15, 19};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct random_model spec = model_choice(models[i]);
        on_every_setup(&spec, ask_many);
        spec.n_items = i % 2 ? 1 : 1200;
        spec.n_rows = i % 2 ? 1 : 900;
        on_every_setup(&spec, ask_many);
    }
}

/* On one row and without biases all scores are the same. */
static void ask_for_ties(const struct random_model *spec, const struct collide_model *model,
                         struct collide_lane *lane, const char *where)
{
    const struct collide_id seen[] = {random_model_key(spec, 0), random_model_key(spec, 2)};
    const struct collide_topk_query query = {
        .query = {.history = seen, .n_history = 2}, .k = 5, .flags = COLLIDE_TOPK_EXCLUDE_SEEN};
    static const uint32_t expected[] = {1, 3, 4, 5, 6};
    struct collide_hit hits[5];
    size_t n;
    assert_int_equal(collide_topk(lane, &query, hits, &n, NULL, NULL), COLLIDE_OK);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < 5; i++)
        if (id_index_find(&model->items, hits[i].item) != expected[i])
            fail_msg("%s: hit %zu is not item %u", where, i, expected[i]);
}

static void exact_ties_come_in_the_order_of_dense_ids(void **state)
{
    (void)state;
    struct random_model spec = model_choice(15); /* neither weights nor biases */
    assert_int_equal(spec.flags, 0);
    spec.n_rows = 1;
    on_every_setup(&spec, ask_for_ties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_items_are_those_of_scoring_them_all),
        cmocka_unit_test(exact_ties_come_in_the_order_of_dense_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
