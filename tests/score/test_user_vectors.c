/* Users who come alone, by sums made once: their scores and best items are those of summing up anew, bit for
 * bit, on every device and engine. */
#include "scorer_checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_USERS = 1300, N_ITEMS = 500, N_SCORES = 150, N_TOPK = 20, N_NUMBERS = 40, ROOM = 64 << 20 };

static struct random_model stored_histories(void)
{
    return (struct random_model){.seed = 61,
                                 .n_items = N_ITEMS,
                                 .n_users = N_USERS, /* more than a slot holds */
                                 .n_rows = 60,
                                 .dim = 24,
                                 .max_history = 40,
                                 .precision = PRECISION_I8,
                                 .pooling = POOLING_NORMALISED,
                                 .flags = RANDOM_WEIGHTS | RANDOM_BIAS};
}

static struct random_model own_rows(void)
{
    struct random_model spec = stored_histories();
    spec.pooling = POOLING_SUM;
    spec.precision = PRECISION_I4;
    spec.keys = KEYS_U64;
    spec.flags |= RANDOM_USER_EMBEDDED;
    spec.n_features = 1;
    spec.n_feature_ids = 9;
    return spec;
}

static struct random_model largest_values(void)
{
    struct random_model spec = stored_histories();
    spec.pooling = POOLING_MAX;
    spec.precision = PRECISION_F32;
    return spec;
}

static void open_with(const struct collide_model *model, const struct device_setup *setup, uint64_t n_bytes,
                      struct scorer_fixture *out)
{
    char device[16];
    snprintf(device, sizeof device, "%u", setup->device);
    scorer_fixture_open_with(model,
                             (struct collide_scorer_options){.device = device,
                                                             .engine = engine_kind_name(setup->engine),
                                                             .max_user_vector_bytes = n_bytes},
                             out);
}

/* All users, each by its id alone, and one that is not there. */
static struct collide_query *users_alone(const struct random_model *spec, struct collide_id *ids,
                                         const struct collide_id *items, size_t n_items)
{
    struct collide_query *queries = calloc(spec->n_users + 1, sizeof *queries);
    assert_non_null(queries);
    for (uint32_t u = 0; u <= spec->n_users; u++) {
        ids[u] = random_model_key(spec, u);
        queries[u] = (struct collide_query){.user = &ids[u], .items = items, .n_items = n_items};
    }
    return queries;
}

static void compare_scores(const struct random_model *spec, struct collide_lane *with,
                           struct collide_lane *without)
{
    enum { N = 7 };
    static struct collide_id users[N_USERS + 1];
    struct collide_id items[N];
    struct collide_counts counts[2];
    size_t n_scores = (spec->n_users + 1ull) * N;
    float *scores = calloc(2 * n_scores, sizeof *scores), *expected = scores + n_scores;
    assert_non_null(scores);
    for (uint32_t i = 0; i < N; i++)
        items[i] = random_model_key(spec, i * 71);
    struct collide_query *queries = users_alone(spec, users, items, N);
    scorer_fixture_score(with, queries, spec->n_users + 1ull, scores, &counts[0]);
    scorer_fixture_score(without, queries, spec->n_users + 1ull, expected, &counts[1]);
    for (size_t i = 0; i < n_scores; i++)
        assert_true(scores[i] == expected[i]);
    assert_memory_equal(&counts[0], &counts[1], sizeof counts[0]);
    free(queries);
    free(scores);
}

/* What a user has seen is left out, whether or not it was summed up. */
static void compare_topk(const struct random_model *spec, struct collide_lane *with,
                         struct collide_lane *without)
{
    enum { K = 5, N_ASKED = 50 };
    struct collide_error err;
    for (uint32_t u = 0; u < N_ASKED; u++) {
        struct collide_id user = random_model_key(spec, u * 23);
        const struct collide_topk_query query = {
            .query = {.user = &user}, .k = K, .flags = COLLIDE_TOPK_EXCLUDE_SEEN};
        struct collide_hit hits[2][K];
        size_t n_hits[2];
        assert_int_equal(collide_topk(with, &query, 1, hits[0], &n_hits[0], NULL, &err), COLLIDE_OK);
        assert_int_equal(collide_topk(without, &query, 1, hits[1], &n_hits[1], NULL, &err), COLLIDE_OK);
        assert_int_equal(n_hits[0], n_hits[1]);
        for (size_t i = 0; i < n_hits[0]; i++)
            assert_true(hits[0][i].score == hits[1][i].score &&
                        hits[0][i].item.number == hits[1][i].item.number);
    }
}

static void check_model(const struct random_model *spec, const struct device_setup *setup)
{
    char where[128];
    struct scorer_fixture with, without;
    struct error_ratios ratios = {.largest = 0};
    struct collide_scorer_info info;
    struct collide_model *model = random_model_open(spec);
    open_with(model, setup, ROOM, &with);
    open_with(model, setup, 0, &without);
    collide_scorer_info(with.scorer, &info);
    assert_int_equal(info.user_vector_bytes, (uint64_t)spec->n_users * spec->dim * sizeof(float));
    collide_scorer_info(without.scorer, &info);
    assert_int_equal(info.user_vector_bytes, 0);
    compare_scores(spec, with.lane, without.lane);
    compare_topk(spec, with.lane, without.lane);
    const struct scorer_check check = {.spec = spec,
                                       .model = model,
                                       .lane = with.lane,
                                       .ratios = &ratios,
                                       .where = devices_describe(setup, where, sizeof where)};
    check_scores(&check, N_SCORES);
    check_topk(&check, N_TOPK);
    check_numbers(&check, N_NUMBERS);
    error_ratios_free(&ratios);
    scorer_fixture_close(&with);
    scorer_fixture_close(&without);
    collide_model_close(model);
}

static void users_alone_score_as_ever(void **state)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    const struct random_model stored = stored_histories();
    (void)state;
    for (size_t s = 0; s < n_setups; s++)
        check_model(&stored, &setups[s]);
}

static void every_kind_of_bag_is_made_once(void **state)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    const struct random_model own = own_rows(), largest = largest_values();
    (void)state;
    scorer_fixture_setups(setups);
    check_model(&own, &setups[0]);
    check_model(&largest, &setups[0]);
}

static void expect_none(const struct random_model *spec, struct collide_scorer_options options)
{
    struct scorer_fixture f;
    struct collide_scorer_info info;
    struct collide_model *model = random_model_open(spec);
    scorer_fixture_open_with(model, options, &f);
    collide_scorer_info(f.scorer, &info);
    assert_int_equal(info.user_vector_bytes, 0);
    scorer_fixture_close(&f);
    collide_model_close(model);
}

static void there_are_none_where_they_do_not_fit_or_nobody_has_a_bag(void **state)
{
    struct random_model spec = stored_histories();
    (void)state;
    expect_none(&spec, (struct collide_scorer_options){.max_user_vector_bytes = N_USERS * 24 * 4 - 1});
    if (devices_list()->n_devices > 1)
        expect_none(&spec, (struct collide_scorer_options){.device = "0,1", .max_user_vector_bytes = ROOM});
    if (devices_list()->n_devices > 1)
        expect_none(&spec, (struct collide_scorer_options){
                               .device = "0,1", .max_user_vector_bytes = ROOM, .spread = COLLIDE_SHARD});
    spec.pooling = POOLING_MEAN;
    expect_none(&spec, (struct collide_scorer_options){.max_user_vector_bytes = ROOM});
    spec.pooling = POOLING_SUM;
    spec.n_users = 0;
    spec.max_history = 0;
    expect_none(&spec, (struct collide_scorer_options){.max_user_vector_bytes = ROOM});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_alone_score_as_ever),
        cmocka_unit_test(every_kind_of_bag_is_made_once),
        cmocka_unit_test(there_are_none_where_they_do_not_fit_or_nobody_has_a_bag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
