/* The k best of all items, on every device and with every engine, against scoring them all in double. */
#include "model_choice.h"
#include "scorer_checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { N_QUERIES = 40 };

typedef void topk_body(const struct scorer_check *check);

static void on_every_setup(const struct random_model *spec, topk_body *body)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    struct collide_model *model = random_model_open(spec);
    for (size_t s = 0; s < n_setups; s++) {
        struct scorer_fixture f;
        char what[256], on[96], where[384];
        if (setups[s].engine == ENGINE_RING) /* has a test of its own */
            continue;
        snprintf(where, sizeof where, "%s, on %s", model_describe(spec, what, sizeof what),
                 devices_describe(&setups[s], on, sizeof on));
        scorer_fixture_open(model, &setups[s], &f);
        body(&(struct scorer_check){.spec = spec, .model = model, .lane = f.lane, .where = where});
        scorer_fixture_close(&f);
    }
    collide_model_close(model);
}

static void ask_many(const struct scorer_check *check)
{
    check_topk(check, N_QUERIES);
}

/* Many ids a row: they are listed by row, best biases first. */
static struct random_model listed(void)
{
    return (struct random_model){.seed = 61,
                                 .n_items = 1800,
                                 .n_users = 40,
                                 .n_rows = 150,
                                 .dim = 16,
                                 .max_history = 60,
                                 .precision = PRECISION_I8,
                                 .pooling = POOLING_NORMALISED,
                                 .keys = KEYS_U64,
                                 .flags = RANDOM_WEIGHTS | RANDOM_BIAS};
}

static void best_items_are_found_by_their_rows(void **state)
{
    (void)state;
    struct random_model spec = listed();
    on_every_setup(&spec, ask_many);
    spec.n_rows = 7; /* fewer than there are parts on some devices */
    on_every_setup(&spec, ask_many);
    spec.flags = 0;
    on_every_setup(&spec, ask_many);
}

static void best_items_are_found_one_by_one(void **state)
{
    (void)state;
    struct random_model spec = listed();
    spec.n_rows = 1300;
    on_every_setup(&spec, ask_many);
    spec.combine = COMBINE_CONCAT;
    spec.n_lookups = 4;
    on_every_setup(&spec, ask_many);
    spec.combine = COMBINE_MULTIPLY;
    on_every_setup(&spec, ask_many);
    spec.n_items = 3; /* fewer than there are parts on some devices */
    on_every_setup(&spec, ask_many);
}

/* More queries at once than go into one launch, of different k. */
static void ask_in_one_batch(const struct scorer_check *check)
{
    enum { N = 150, MAX_K = 12 };
    struct collide_topk_query queries[N];
    struct collide_id histories[N];
    struct collide_hit hits[N * MAX_K], alone[MAX_K], *at = hits;
    size_t n_hits[N], n_alone;
    struct collide_error err = {0};
    for (size_t i = 0; i < N; i++) {
        histories[i] = random_model_key(check->spec, i);
        queries[i] = (struct collide_topk_query){.query = {.history = &histories[i], .n_history = 1},
                                                 .k = i % (MAX_K + 1)};
    }
    if (collide_topk(check->lane, queries, N, hits, n_hits, NULL, &err) != COLLIDE_OK)
        fail_msg("%s: %s", check->where, err.text);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(collide_topk(check->lane, &queries[i], 1, alone, &n_alone, NULL, NULL), COLLIDE_OK);
        assert_int_equal(n_alone, queries[i].k);
        assert_int_equal(n_hits[i], n_alone);
        for (size_t j = 0; j < n_alone; j++)
            if (at[j].item.number != alone[j].item.number || at[j].score != alone[j].score)
                fail_msg("%s: query %zu of a batch has another hit %zu than alone", check->where, i, j);
        at += queries[i].k;
    }
}

static void a_batch_gives_what_single_queries_give(void **state)
{
    (void)state;
    const struct random_model spec = listed();
    on_every_setup(&spec, ask_in_one_batch);
}

/* What a lane learned to hold for a long list of items left out is no room for as many scores. */
static void score_after_many_were_left_out(const struct scorer_check *check)
{
    enum { N = 40000 };
    static struct collide_id ids[N];
    static float scores[N + 1];
    struct collide_hit hit;
    size_t n;
    for (size_t i = 0; i < N; i++)
        ids[i] = random_model_key(check->spec, i % check->spec->n_items);
    const struct collide_topk_query best = {.k = 1, .exclude = ids, .n_exclude = N};
    const struct collide_query all = {.items = ids, .n_items = N};
    assert_int_equal(collide_topk(check->lane, &best, 1, &hit, &n, NULL, NULL), COLLIDE_OK);
    assert_int_equal(n, 0);
    scorer_fixture_score(check->lane, &all, 1, scores, NULL);
    for (size_t i = check->spec->n_items; i < N; i++)
        assert_true(scores[i] == scores[i - check->spec->n_items]);
}

static void excluding_everything_leaves_nothing(void **state)
{
    (void)state;
    const struct random_model spec = listed();
    on_every_setup(&spec, score_after_many_were_left_out);
}

/* On one row and without biases all scores are the same. */
static void ask_for_ties(const struct scorer_check *check)
{
    const struct collide_id seen[] = {random_model_key(check->spec, 0), random_model_key(check->spec, 2)};
    const struct collide_topk_query query = {
        .query = {.history = seen, .n_history = 2}, .k = 5, .flags = COLLIDE_TOPK_EXCLUDE_SEEN};
    static const uint32_t expected[] = {1, 3, 4, 5, 6};
    struct collide_hit hits[5];
    size_t n;
    assert_int_equal(collide_topk(check->lane, &query, 1, hits, &n, NULL, NULL), COLLIDE_OK);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < 5; i++)
        if (id_index_find(&check->model->items, hits[i].item) != expected[i])
            fail_msg("%s: hit %zu is not item %u", check->where, i, expected[i]);
}

static void exact_ties_come_in_the_order_of_dense_ids(void **state)
{
    (void)state;
    struct random_model spec = listed();
    spec.flags = 0;
    spec.n_rows = 1;
    on_every_setup(&spec, ask_for_ties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_items_are_found_by_their_rows),
        cmocka_unit_test(best_items_are_found_one_by_one),
        cmocka_unit_test(a_batch_gives_what_single_queries_give),
        cmocka_unit_test(excluding_everything_leaves_nothing),
        cmocka_unit_test(exact_ties_come_in_the_order_of_dense_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
