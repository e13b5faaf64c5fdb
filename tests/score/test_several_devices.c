/* Several devices behind one scorer: each with all of the tables, or each with a share of the rows. */
#include "model_choice.h"
#include "scorer_checks.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N_SCORES = 300, N_TOPK = 30 };

/* Shards add their share of a product, and the first one the bias, which rounds to the size of that sum, not
 * of the score: by u (|bias| + S), where S, the sizes of the products added up, bounds every partial sum, and
 * |bias| <= |score| + S. The pooled bag rounds once more on its way back: u S. The reference allows a score
 * u |score| + 3 u S at least (dim + 2 roundings of products, and the last one), so twice that is enough. */
static const double SHARD_SLACK = 2.0;

/* "0,1"; skips the test where there are not two devices. */
static const char *two_devices(void)
{
    if (devices_list()->n_devices < 2)
        skip();
    return "0,1";
}

static void check_model(const struct random_model *spec, enum collide_spread spread, bool has_topk)
{
    char what[256];
    struct scorer_fixture f;
    struct collide_scorer_info info;
    struct error_ratios ratios = {.largest = 0};
    struct collide_model *model = random_model_open(spec);
    const struct collide_scorer_options options = {.device = two_devices(), .spread = spread};
    scorer_fixture_open_with(model, options, &f);
    collide_scorer_info(f.scorer, &info);
    assert_int_equal(info.n_devices, 2);
    const struct scorer_check check = {.spec = spec,
                                       .model = model,
                                       .lane = f.lane,
                                       .ratios = &ratios,
                                       .slack = spread == COLLIDE_SHARD ? SHARD_SLACK : 1.0,
                                       .where = model_describe(spec, what, sizeof what)};
    check_scores(&check, N_SCORES);
    if (has_topk)
        check_topk(&check, N_TOPK);
    error_ratios_free(&ratios);
    scorer_fixture_close(&f);
    collide_model_close(model);
}

static struct random_model one_lookup(void)
{
    return (struct random_model){.seed = 51,
                                 .n_items = 900,
                                 .n_users = 30,
                                 .n_rows = 101,
                                 .dim = 24,
                                 .max_history = 60,
                                 .precision = PRECISION_I8,
                                 .pooling = POOLING_NORMALISED,
                                 .keys = KEYS_U64,
                                 .flags = RANDOM_WEIGHTS | RANDOM_BIAS};
}

static void shards_score_as_the_reference(void **state)
{
    (void)state;
    struct random_model spec = one_lookup();
    check_model(&spec, COLLIDE_SHARD, true); /* selects by rows */
    spec.scales = RANDOM_SCALES_OFFSET;
    spec.pooling = POOLING_MEAN;
    spec.n_rows = 600;
    spec.n_features = 1;
    spec.n_feature_ids = 9;
    check_model(&spec, COLLIDE_SHARD, true); /* looks at every item */
    spec.scales = RANDOM_SCALES_DIM;
    spec.pooling = POOLING_SUM;
    spec.n_lookups = 2;
    check_model(&spec, COLLIDE_SHARD, false);
    spec.precision = PRECISION_I4;
    spec.scales = RANDOM_SCALES_DEFAULT;
    spec.combine = COMBINE_CONCAT;
    spec.pooling = POOLING_NORMALISED;
    check_model(&spec, COLLIDE_SHARD, false);
}

static void replicas_score_as_the_reference(void **state)
{
    (void)state;
    const struct random_model spec = one_lookup();
    check_model(&spec, COLLIDE_REPLICATE, true);
}

static void lanes_of_replicas_take_turns(void **state)
{
    (void)state;
    const struct random_model spec = one_lookup();
    struct collide_model *model = random_model_open(&spec);
    struct scorer_fixture f;
    struct collide_lane *second, *third;
    scorer_fixture_open_with(model, (struct collide_scorer_options){.device = two_devices()}, &f);
    assert_int_equal(collide_lane_create(f.scorer, &second, NULL), COLLIDE_OK);
    assert_int_equal(collide_lane_create(f.scorer, &third, NULL), COLLIDE_OK);
    assert_ptr_equal(f.lane->devices[0].kernels, f.scorer->kernels[0]);
    assert_ptr_equal(second->devices[0].kernels, f.scorer->kernels[1]);
    assert_ptr_equal(third->devices[0].kernels, f.scorer->kernels[0]);
    collide_lane_destroy(second);
    collide_lane_destroy(third);
    scorer_fixture_close(&f);
    collide_model_close(model);
}

/* Creating a scorer, and if that goes well a top-k on it, must be refused with this text in the message. */
static void assert_refused(const struct random_model *spec, struct collide_scorer_options options,
                           enum collide_status expected, const char *text)
{
    struct collide_model *model = random_model_open(spec);
    struct collide_scorer *scorer = NULL;
    struct collide_lane *lane = NULL;
    struct collide_error err = {0};
    options.cache_dir = "";
    enum collide_status status = collide_scorer_create(model, &options, &scorer, &err);
    if (status == COLLIDE_OK) {
        const struct collide_topk_query query = {.k = 1};
        struct collide_hit hit;
        size_t n;
        assert_int_equal(collide_lane_create(scorer, &lane, NULL), COLLIDE_OK);
        status = collide_topk(lane, &query, 1, &hit, &n, NULL, &err);
    }
    assert_int_equal(status, expected);
    if (!strstr(err.text, text))
        fail_msg("no \"%s\" in \"%s\"", text, err.text);
    collide_lane_destroy(lane);
    collide_scorer_destroy(scorer);
    collide_model_close(model);
}

static void what_cannot_be_sharded_is_refused(void **state)
{
    (void)state;
    const struct collide_scorer_options shards = {.device = two_devices(), .spread = COLLIDE_SHARD};
    struct random_model spec = one_lookup();
    spec.pooling = POOLING_MAX;
    assert_refused(&spec, shards, COLLIDE_UNSUPPORTED, "replicate");
    spec = one_lookup();
    spec.n_lookups = 2;
    spec.combine = COMBINE_MULTIPLY;
    assert_refused(&spec, shards, COLLIDE_UNSUPPORTED, "replicate");
    spec = one_lookup();
    spec.n_rows = 1;
    assert_refused(&spec, shards, COLLIDE_UNSUPPORTED, "1 rows");
    spec = one_lookup(); /* the model of shards_score_as_the_reference, whose kernels there are */
    spec.n_rows = 600;
    spec.n_features = 1;
    spec.n_feature_ids = 9;
    spec.scales = RANDOM_SCALES_DIM;
    spec.pooling = POOLING_SUM;
    spec.n_lookups = 2;
    assert_refused(&spec, shards, COLLIDE_UNSUPPORTED, "top-k");
}

static void shards_take_no_delay(void **state)
{
    (void)state;
    const struct random_model spec = one_lookup();
    assert_refused(
        &spec,
        (struct collide_scorer_options){.device = two_devices(), .spread = COLLIDE_SHARD, .max_delay_us = 9},
        COLLIDE_UNSUPPORTED, "delay");
}

static void a_device_is_used_once(void **state)
{
    (void)state;
    const struct random_model spec = one_lookup();
    devices_list();
    assert_refused(&spec, (struct collide_scorer_options){.device = "0,0"}, COLLIDE_INVALID, "twice");
    assert_refused(&spec, (struct collide_scorer_options){.device = "0,"}, COLLIDE_INVALID, "commas");
}

/* Hits have as much room on every shard, however many parts it makes of a query. */
static void large_top_k_over_shards_of_unlike_devices(void **state)
{
    enum { N = 40 };
    (void)state;
    const struct random_model spec = one_lookup();
    static struct collide_hit hits[N * 900];
    struct collide_topk_query queries[N];
    size_t n_hits[N];
    struct collide_error err = {0};
    struct collide_model *model = random_model_open(&spec);
    struct scorer_fixture f;
    scorer_fixture_open_with(
        model, (struct collide_scorer_options){.device = two_devices(), .spread = COLLIDE_SHARD}, &f);
    for (size_t i = 0; i < N; i++)
        queries[i] = (struct collide_topk_query){.k = spec.n_items};
    if (collide_topk(f.lane, queries, N, hits, n_hits, NULL, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    for (size_t i = 1; i < N; i++) {
        assert_int_equal(n_hits[i], n_hits[0]);
        for (size_t j = 0; j < n_hits[0]; j++)
            assert_true(hits[i * spec.n_items + j].item.number == hits[j].item.number);
    }
    scorer_fixture_close(&f);
    collide_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_score_as_the_reference),
        cmocka_unit_test(replicas_score_as_the_reference),
        cmocka_unit_test(lanes_of_replicas_take_turns),
        cmocka_unit_test(what_cannot_be_sharded_is_refused),
        cmocka_unit_test(shards_take_no_delay),
        cmocka_unit_test(a_device_is_used_once),
        cmocka_unit_test(large_top_k_over_shards_of_unlike_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
