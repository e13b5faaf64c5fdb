/* The reference itself, against sums done by hand. */
#include "score/reference.h"

#include "model/write.h"
#include "support/scratch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Three items on two rows, (3, 4) and (1, -2); the unknown item is on the second, without weight. One user,
 * whose history is items 0 and 1. */
static const uint32_t REMAP[] = {0, 1, 1, 1};
static const float WEIGHTS[] = {1.0f, 2.0f, 0.5f, 0.0f};
static const float BIAS[] = {0.25f, -1.0f, 0.0f, -5.0f};
static const uint32_t OFFSETS[] = {0, 2, 2};
static const uint32_t HISTORY[] = {0, 1};
static const float ROWS_F32[] = {3, 4, 1, -2};
static const uint16_t ROWS_F16[] = {0x4200, 0x4400, 0x3c00, 0xc000};
static const int8_t ROWS_I8[] = {6, 8, 4, -8};
static const float SCALES[] = {0.5f, 0.25f};

static struct collide_model *open_model(enum precision precision, enum pooling pooling)
{
    static const void *const rows[] = {
        [PRECISION_F32] = ROWS_F32, [PRECISION_F16] = ROWS_F16, [PRECISION_I8] = ROWS_I8};
    const struct model m = {
        .dim = 2,
        .pooling = pooling,
        .logit_scale = 2.0f,
        .item = {.n_ids = 3,
                 .n_rows = 2,
                 .precision = precision,
                 .remap = REMAP,
                 .rows = rows[precision],
                 .scales = precision == PRECISION_I8 ? SCALES : NULL,
                 .weights = WEIGHTS,
                 .bias = BIAS},
        .user = {.n_ids = 1, .offsets = OFFSETS, .history = HISTORY},
    };
    struct scratch folder;
    char path[2 * SCRATCH_PATH_BYTES];
    struct collide_error err = {0};
    struct collide_model *model = NULL;
    scratch_create(&folder);
    scratch_path(&folder, "model", path);
    if (model_write(&m, path, &err) != COLLIDE_OK || collide_model_open(path, &model, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    scratch_destroy(&folder);
    return model;
}

static const struct collide_id USER = {.number = 0};
static const struct collide_id GIVEN[] = {{.number = 2}, {.number = 99}};
static const float GIVEN_WEIGHTS[] = {-4.0f, 7.0f};
static const struct collide_id CANDIDATES[] = {{.number = 0}, {.number = 1}, {.number = 99}};

/* The bag of the user is 1 (3, 4) + 2 (1, -2); the given history adds -4 * 0.5 (1, -2) and nothing unknown.
 */
static const struct collide_query QUERY = {.user = &USER,
                                           .history = GIVEN,
                                           .weights = GIVEN_WEIGHTS,
                                           .n_history = 2,
                                           .items = CANDIDATES,
                                           .n_items = 3};

/* The bag is (3, 4) times what pooling divides it by. */
static void assert_scores(enum pooling pooling, double factor)
{
    static const double dots[] = {25, -5, -5};
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_I8; precision++) {
        struct collide_model *model = open_model(precision, pooling);
        struct reference_score scores[3];
        double bag[2], tolerances[2];
        assert_int_equal(reference_bag(model, &QUERY, bag, tolerances, NULL), COLLIDE_OK);
        assert_true(fabs(bag[0] - 3 * factor) < 1e-14 && fabs(bag[1] - 4 * factor) < 1e-14);
        assert_int_equal(reference_score(model, &QUERY, scores, NULL), COLLIDE_OK);
        for (int i = 0; i < 3; i++) {
            double bias = (double)BIAS[i < 2 ? i : 3];
            assert_true(fabs(scores[i].value - (2 * factor * dots[i] + bias)) < 1e-13);
            /* A dozen or two roundings of numbers up to 100. */
            assert_true(scores[i].tolerance > 1e-8 && scores[i].tolerance < 3e-4);
        }
        collide_model_close(model);
    }
}

static void sum_pooling_by_hand(void **state)
{
    (void)state;
    assert_scores(POOLING_SUM, 1);
}

static void mean_pooling_divides_by_the_sizes_of_the_weights(void **state)
{
    (void)state;
    assert_scores(POOLING_MEAN, 1.0 / (1 + 2 + 4 * 0.5));
}

static void normalised_pooling_divides_by_the_length(void **state)
{
    (void)state;
    assert_scores(POOLING_NORMALISED, 1.0 / 5);
}

static void nothing_known_is_scored_by_the_bias_alone(void **state)
{
    (void)state;
    const struct collide_query query = {.user = &GIVEN[1], .items = CANDIDATES, .n_items = 3};
    for (enum pooling pooling = POOLING_SUM; pooling <= POOLING_NORMALISED; pooling++) {
        struct collide_model *model = open_model(PRECISION_F32, pooling);
        struct reference_score scores[3];
        assert_int_equal(reference_score(model, &query, scores, NULL), COLLIDE_OK);
        for (int i = 0; i < 3; i++) {
            assert_true(scores[i].value == (double)BIAS[i < 2 ? i : 3]);
            assert_true(scores[i].tolerance < 1e-6);
        }
        collide_model_close(model);
    }
}

/* 1 (1, -2) and -1 of the same: no direction is wrong then, and none may be held against a kernel. */
static void a_bag_that_cancels_out_has_no_direction(void **state)
{
    (void)state;
    static const struct collide_id twice[] = {{.number = 2}, {.number = 2}};
    static const float opposite[] = {1.0f, -1.0f};
    const struct collide_query query = {.history = twice, .weights = opposite, .n_history = 2};
    struct collide_model *model = open_model(PRECISION_F32, POOLING_NORMALISED);
    double bag[2], tolerances[2];
    assert_int_equal(reference_bag(model, &query, bag, tolerances, NULL), COLLIDE_OK);
    for (int d = 0; d < 2; d++) {
        assert_true(bag[d] == 0.0);
        assert_true(tolerances[d] >= 1.0 && tolerances[d] < 1.001);
    }
    collide_model_close(model);
}

/* The more of the bag is lost to cancellation, the less is asked of what is left. */
static void tolerance_grows_with_cancellation(void **state)
{
    (void)state;
    static const struct collide_id pair[] = {{.number = 0}, {.number = 1}, {.number = 0}};
    struct collide_model *model = open_model(PRECISION_F32, POOLING_NORMALISED);
    double last = 0.0;
    for (float size = 1.0f; size < 1e5f; size *= 10.0f) {
        const float weights[] = {size, 1.0f, -size};
        const struct collide_query query = {.history = pair, .weights = weights, .n_history = 3};
        double bag[2], tolerances[2];
        assert_int_equal(reference_bag(model, &query, bag, tolerances, NULL), COLLIDE_OK);
        assert_true(fabs(bag[0] - 1 / sqrt(5)) < 1e-9);
        assert_true(tolerances[0] > last);
        last = tolerances[0];
    }
    assert_true(last > 1e-3 && last < 1.0);
    collide_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_pooling_by_hand),
        cmocka_unit_test(mean_pooling_divides_by_the_sizes_of_the_weights),
        cmocka_unit_test(normalised_pooling_divides_by_the_length),
        cmocka_unit_test(nothing_known_is_scored_by_the_bias_alone),
        cmocka_unit_test(a_bag_that_cancels_out_has_no_direction),
        cmocka_unit_test(tolerance_grows_with_cancellation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
