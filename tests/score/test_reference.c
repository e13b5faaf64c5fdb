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

static struct collide_model *write_and_open(const struct model *m)
{
    struct scratch folder;
    char path[2 * SCRATCH_PATH_BYTES];
    struct collide_error err = {0};
    struct collide_model *model = NULL;
    scratch_create(&folder);
    scratch_path(&folder, "model", path);
    if (model_write(m, path, &err) != COLLIDE_OK || collide_model_open(path, &model, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    scratch_destroy(&folder);
    return model;
}

static struct collide_model *open_model(enum precision precision, enum pooling pooling)
{
    static const void *const rows[] = {
        [PRECISION_F32] = ROWS_F32, [PRECISION_F16] = ROWS_F16, [PRECISION_I8] = ROWS_I8};
    const struct model m = {
        .dim = 2,
        .pooling = pooling,
        .logit_scale = 2.0f,
        .rows = {.n = 2,
                 .width = 2,
                 .precision = precision,
                 .scaling = precision == PRECISION_I8 ? SCALING_ROW : SCALING_NONE,
                 .values = rows[precision],
                 .scales = precision == PRECISION_I8 ? SCALES : NULL},
        .mapping = {.n_lookups = 1},
        .item = {.n_ids = 3, .remap = REMAP, .weights = WEIGHTS},
        .bias = BIAS,
        .user = {.n_ids = 1},
        .histories = {.offsets = OFFSETS, .items = HISTORY},
    };
    return write_and_open(&m);
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

/* Each item is a row of its own: the bag of item i alone is its embedding. Ids known: weight 1. */
static void assert_embeddings(const struct model *m, const double *expected)
{
    struct collide_model *model = write_and_open(m);
    for (uint32_t i = 0; i < m->item.n_ids; i++) {
        const struct collide_id id = collide_id_number(i);
        const struct collide_query query = {.history = &id, .n_history = 1};
        double bag[8], tolerances[8];
        assert_int_equal(reference_bag(model, &query, bag, tolerances, NULL), COLLIDE_OK);
        for (uint32_t d = 0; d < m->dim; d++) {
            assert_true(bag[d] == expected[i * m->dim + d]);
            assert_true(tolerances[d] < 1e-4);
        }
    }
    collide_model_close(model);
}

/* As many items as rows, and the unknown one on the last row. */
static const uint32_t ONE_TO_ONE[] = {0, 1, 1};

static struct model of_rows(struct row_table rows)
{
    return (struct model){.dim = rows.width,
                          .logit_scale = 1.0f,
                          .rows = rows,
                          .mapping = {.n_lookups = 1},
                          .item = {.n_ids = rows.n, .remap = ONE_TO_ONE}};
}

/* 0x95: 5 in the low half, then 9. */
static void four_bit_rows_by_hand(void **state)
{
    (void)state;
    static const uint8_t rows[] = {0x95, 0x0f};
    static const uint16_t scales[] = {0x3800, 0xbc00, 0x4000, 0x4200}; /* 0.5, -1, 2, 3 */
    const struct model m = of_rows((struct row_table){.n = 2,
                                                      .width = 2,
                                                      .precision = PRECISION_I4,
                                                      .scaling = SCALING_ROW_OFFSET,
                                                      .values = rows,
                                                      .scales = scales});
    assert_embeddings(&m, (const double[]){1.5, 3.5, 33, 3});
}

/* 0x1f58d1 and 0xfac688 are 07654321 and 076543210. */
static void three_bit_rows_by_hand(void **state)
{
    (void)state;
    static const uint8_t rows[] = {0xd1, 0x58, 0x1f, 0x88, 0xc6, 0xfa};
    static const uint16_t scales[] = {0x3800, 0xbc00, 0x4000, 0x4200}; /* 0.5, -1, 2, 3 */
    const struct model m = of_rows((struct row_table){.n = 2,
                                                      .width = 8,
                                                      .precision = PRECISION_I3,
                                                      .scaling = SCALING_ROW_OFFSET,
                                                      .values = rows,
                                                      .scales = scales});
    assert_embeddings(&m, (const double[]){-0.5, 0, 0.5, 1, 1.5, 2, 2.5, -1, 3, 5, 7, 9, 11, 13, 15, 17});
}

/* 0xe4: 0, 1, 2, 3 from the low bits on; 0x1b the other way about. */
static void two_bit_rows_by_hand(void **state)
{
    (void)state;
    static const uint8_t rows[] = {0xe4, 0x1b};
    static const uint16_t scales[] = {0x3800, 0xbc00, 0x4000, 0x4200}; /* 0.5, -1, 2, 3 */
    const struct model m = of_rows((struct row_table){.n = 2,
                                                      .width = 4,
                                                      .precision = PRECISION_I2,
                                                      .scaling = SCALING_ROW_OFFSET,
                                                      .values = rows,
                                                      .scales = scales});
    assert_embeddings(&m, (const double[]){-1, -0.5, 0, 0.5, 9, 7, 5, 3});
}

static void rows_with_scale_and_offset_by_hand(void **state)
{
    (void)state;
    static const uint16_t scales[] = {0x3800, 0x3c00, 0x3400, 0xbc00}; /* 0.5, 1, 0.25, -1 */
    const struct model m = of_rows((struct row_table){.n = 2,
                                                      .width = 2,
                                                      .precision = PRECISION_I8,
                                                      .scaling = SCALING_ROW_OFFSET,
                                                      .values = ROWS_I8,
                                                      .scales = scales});
    assert_embeddings(&m, (const double[]){4, 5, 0, -3});
}

static void line_rows_by_hand(void **state)
{
    (void)state;
    const struct model m = of_rows((struct row_table){.n = 2,
                                                      .width = 2,
                                                      .precision = PRECISION_I8,
                                                      .scaling = SCALING_DIM,
                                                      .values = ROWS_I8,
                                                      .scales = SCALES});
    assert_embeddings(&m, (const double[]){3, 2, 2, -2});
}

/* Rows (3, 4) and (1, -2), two an item. */
static const uint32_t PAIRS[] = {0, 1, 1, 1, 0, 0, 1, 1};

static struct model of_pairs(enum combine combine)
{
    return (struct model){.dim = combine == COMBINE_CONCAT ? 4 : 2,
                          .logit_scale = 1.0f,
                          .rows = {.n = 2, .width = 2, .values = ROWS_F32},
                          .mapping = {.combine = combine, .n_lookups = 2},
                          .item = {.n_ids = 3, .remap = PAIRS}};
}

static void several_rows_are_summed_multiplied_or_concatenated(void **state)
{
    (void)state;
    struct model m = of_pairs(COMBINE_SUM);
    assert_embeddings(&m, (const double[]){4, 2, 2, -4, 6, 8});
    m = of_pairs(COMBINE_MULTIPLY);
    assert_embeddings(&m, (const double[]){3, -8, 1, 4, 9, 16});
    m = of_pairs(COMBINE_CONCAT);
    assert_embeddings(&m, (const double[]){3, 4, 1, -2, 1, -2, 1, -2, 3, 4, 3, 4});
}

/* Two items of four rows, the second being the unknown one. */
static void sums_of_rows_are_concatenated(void **state)
{
    (void)state;
    struct model m = of_pairs(COMBINE_CONCAT);
    m.mapping.n_lookups = 4;
    m.mapping.n_parts = 2;
    m.item.n_ids = 1;
    assert_embeddings(&m, (const double[]){4, 2, 2, -4});
}

/* Hash embeddings: each id weighs its rows. Items 0, 1, 2 are 2 r0 - r1, r1 / 2, 0. */
static void lookups_are_weighted_by_id(void **state)
{
    (void)state;
    static const float weights[] = {2, -1, 0.25f, 0.25f, 1, -1, 0, 0};
    struct model m = of_pairs(COMBINE_SUM);
    m.item.lookup_weights = weights;
    assert_embeddings(&m, (const double[]){5, 10, 0.5, -1, 0, 0});
}

/* Remainders are on rows 0 and 1, quotients on 2 and 3; items 0 to 3 are 0 2, 1 2, 0 3, 1 3. */
static void remainder_and_quotient_rows_are_combined(void **state)
{
    (void)state;
    static const float rows[] = {3, 4, 1, -2, 2, 1, -1, 3, 0, 0};
    struct model m = {.dim = 2,
                      .logit_scale = 1.0f,
                      .rows = {.n = 5, .width = 2, .values = rows},
                      .mapping = {.kind = MAPPING_QUOTIENT, .n_lookups = 2, .divisor = 2},
                      .item = {.n_ids = 4}};
    assert_embeddings(&m, (const double[]){5, 5, 3, -1, 2, 7, 0, 1});
    m.mapping.combine = COMBINE_MULTIPLY;
    assert_embeddings(&m, (const double[]){6, 4, 2, -2, -3, 12, -1, -6});
    m.mapping.combine = COMBINE_CONCAT;
    m.dim = 4;
    assert_embeddings(&m, (const double[]){3, 4, 2, 1, 1, -2, 2, 1, 3, 4, -1, 3, 1, -2, -1, 3});
}

/* Three rows for four items; the last one is the unknown id's. */
static void modulo_rows_go_round(void **state)
{
    (void)state;
    static const float rows[] = {3, 4, 1, -2, 2, 1, 0, 0};
    const struct model m = {.dim = 2,
                            .logit_scale = 1.0f,
                            .rows = {.n = 4, .width = 2, .values = rows},
                            .mapping = {.kind = MAPPING_MODULO, .n_lookups = 1},
                            .item = {.n_ids = 4}};
    assert_embeddings(&m, (const double[]){3, 4, 1, -2, 2, 1, 3, 4});
}

/* A user is the sum of (3, 4) and (1, -2); items are a row each. */
static void users_of_two_rows_score_items_of_one(void **state)
{
    (void)state;
    static const float rows[] = {3, 4, 1, -2, 0, 0};
    static const uint32_t items[] = {0, 1, 2}, users[] = {0, 1, 2, 2};
    const struct model m = {.dim = 2,
                            .logit_scale = 1.0f,
                            .rows = {.n = 3, .width = 2, .values = rows},
                            .mapping = {.n_lookups = 2},
                            .item = {.n_ids = 2, .n_lookups = 1, .remap = items},
                            .user = {.n_ids = 1, .n_lookups = 2, .remap = users},
                            .user_is_embedded = true};
    static const double expected[] = {4 * 3 + 2 * 4, 4 * 1 + 2 * -2, 0};
    struct collide_model *model = write_and_open(&m);
    static const struct collide_id user = {.number = 0},
                                   ids[] = {{.number = 0}, {.number = 1}, {.number = 2}};
    const struct collide_query query = {.user = &user, .items = ids, .n_items = 3};
    struct reference_score scores[3];
    assert_int_equal(reference_score(model, &query, scores, NULL), COLLIDE_OK);
    for (size_t i = 0; i < 3; i++)
        assert_true(scores[i].value == expected[i]);
    collide_model_close(model);
}

/* Concatenated, each of four dimensions has a scale. */
static void line_rows_are_scaled_by_dimension_of_the_embedding(void **state)
{
    (void)state;
    static const float scales[] = {0.5f, 0.25f, 2.0f, -1.0f};
    struct model m = of_pairs(COMBINE_CONCAT);
    m.rows.precision = PRECISION_I8;
    m.rows.scaling = SCALING_DIM;
    m.rows.values = ROWS_I8;
    m.rows.scales = scales;
    assert_embeddings(&m, (const double[]){3, 2, 8, 8, 2, -2, 8, 8, 3, 2, 12, -8});
}

/* 2 emb(0) - emb(1) against emb(2). */
static void scores_of_several_rows_by_hand(void **state)
{
    (void)state;
    static const double expected[] = {
        [COMBINE_SUM] = 6 * 6 + 8 * 8,
        [COMBINE_MULTIPLY] = 5 * 9 + -20 * 16,
        [COMBINE_CONCAT] = 5 * 3 + 10 * 4 + 1 * 3 + -2 * 4,
    };
    static const struct collide_id history[] = {{.number = 0}, {.number = 1}}, item = {.number = 2};
    static const float weights[] = {2.0f, -1.0f};
    const struct collide_query query = {
        .history = history, .weights = weights, .n_history = 2, .items = &item, .n_items = 1};
    for (enum combine combine = COMBINE_SUM; combine <= COMBINE_CONCAT; combine++) {
        const struct model m = of_pairs(combine);
        struct collide_model *model = write_and_open(&m);
        struct reference_score score;
        assert_int_equal(reference_score(model, &query, &score, NULL), COLLIDE_OK);
        assert_true(score.value == expected[combine]);
        assert_true(score.tolerance > 0 && score.tolerance < 1e-3);
        collide_model_close(model);
    }
}

/* One bit an entry; with seed 1 and 3 rows the items 0, 1, 2 fall on the rows 1, 1, 0 (worked out elsewhere).
 */
static void packed_and_hashed_mappings_lead_to_their_rows(void **state)
{
    (void)state;
    static const uint32_t words[] = {0xe, 0};
    static const float rows[] = {3, 4, 1, -2, 100, 100};
    struct model m = {.dim = 2,
                      .logit_scale = 1.0f,
                      .rows = {.n = 2, .width = 2, .values = rows},
                      .mapping = {.kind = MAPPING_PACKED, .n_lookups = 1, .bits = 1},
                      .item = {.n_ids = 3, .remap = words}};
    assert_embeddings(&m, (const double[]){3, 4, 1, -2, 1, -2});
    m.rows.n = 3;
    m.mapping = (struct row_mapping){.kind = MAPPING_HASHED, .n_lookups = 1, .seed = 1};
    m.item.remap = NULL;
    assert_embeddings(&m, (const double[]){1, -2, 1, -2, 3, 4});
}

/* (3, 4) and -4 (1, -2): each dimension's largest, whichever item it is of. */
static void max_pooling_takes_each_dimension_of_its_own(void **state)
{
    (void)state;
    static const struct collide_id pair[] = {{.number = 0}, {.number = 2}};
    static const float weights[] = {1.0f, -8.0f};
    const struct collide_query query = {.history = pair, .weights = weights, .n_history = 2};
    struct collide_model *model = open_model(PRECISION_F32, POOLING_MAX);
    double bag[2], tolerances[2];
    assert_int_equal(reference_bag(model, &query, bag, tolerances, NULL), COLLIDE_OK);
    assert_true(bag[0] == 3 && bag[1] == 8);
    assert_true(tolerances[1] > 8 * 0x1p-24 && tolerances[1] < 8 * 8 * 0x1p-24);
    collide_model_close(model);
}

/* An unknown item has no weight, and 0 is more than what is negative. */
static void what_has_no_weight_is_zero_to_max_pooling(void **state)
{
    (void)state;
    static const struct collide_id pair[] = {{.number = 0}, {.number = 99}};
    static const float weights[] = {-1.0f, 1.0f};
    struct collide_query query = {.history = pair, .weights = weights, .n_history = 1};
    struct collide_model *model = open_model(PRECISION_F32, POOLING_MAX);
    double bag[2], tolerances[2];
    assert_int_equal(reference_bag(model, &query, bag, tolerances, NULL), COLLIDE_OK);
    assert_true(bag[0] == -3 && bag[1] == -4);
    query.n_history = 2;
    assert_int_equal(reference_bag(model, &query, bag, tolerances, NULL), COLLIDE_OK);
    assert_true(bag[0] == 0 && bag[1] == 0);
    query.n_history = 0;
    assert_int_equal(reference_bag(model, &query, bag, tolerances, NULL), COLLIDE_OK);
    assert_true(bag[0] == 0 && bag[1] == 0);
    collide_model_close(model);
}

/* The user's own row, (3, 4), and those of a country, (1, -2) times 0.5, join the history, (3, 4) + (1, -2);
 * the unknown country is on (3, 4). */
static struct collide_model *open_model_with_features(void)
{
    static const uint32_t of_users[] = {0, 1}, of_countries[] = {1, 0};
    static const float country_weights[] = {0.5f, 1.0f};
    static const struct feature features[] = {
        {.name = "country", .space = {.n_ids = 1, .remap = of_countries, .weights = country_weights}}};
    const struct model m = {.dim = 2,
                            .logit_scale = 1.0f,
                            .rows = {.n = 2, .width = 2, .values = ROWS_F32},
                            .mapping = {.n_lookups = 1},
                            .item = {.n_ids = 3, .remap = REMAP},
                            .user = {.n_ids = 1, .remap = of_users},
                            .user_is_embedded = true,
                            .histories = {.offsets = OFFSETS, .items = HISTORY},
                            .features = features,
                            .n_features = 1};
    return write_and_open(&m);
}

static void assert_bag(const struct collide_model *model, const struct collide_query *query, double first,
                       double second)
{
    double bag[2], tolerances[2];
    assert_int_equal(reference_bag(model, query, bag, tolerances, NULL), COLLIDE_OK);
    assert_true(bag[0] == first && bag[1] == second);
}

static void users_and_features_join_the_bag(void **state)
{
    (void)state;
    static const struct collide_id countries[] = {{.number = 0}, {.number = 99}};
    static const float weights[] = {2.0f, 3.0f};
    const struct collide_feature country = {
        .name = "country", .n_bytes = 7, .ids = countries, .weights = weights, .n_ids = 2};
    struct collide_query query = {.user = &USER};
    struct collide_model *model = open_model_with_features();
    assert_bag(model, &query, 3 + 4, 4 + 2);
    query.features = &country;
    query.n_features = 1;
    assert_bag(model, &query, 7 + 2 * 0.5 * 1 + 3 * 3, 6 + 2 * 0.5 * -2 + 3 * 4);
    query.user = NULL;
    assert_bag(model, &query, 2 * 0.5 * 1 + 3 * 3, 2 * 0.5 * -2 + 3 * 4);
    query = (struct collide_query){.user = &GIVEN[1]}; /* unknown: without weight */
    assert_bag(model, &query, 0, 0);
    collide_model_close(model);
}

static void a_feature_that_the_model_does_not_have_is_refused(void **state)
{
    (void)state;
    const struct collide_feature features[] = {{.name = "country", .n_bytes = 7},
                                               {.name = "countr", .n_bytes = 6}};
    const struct collide_query query = {.features = features, .n_features = 2};
    struct collide_model *model = open_model_with_features();
    struct collide_error err = {0};
    double bag[2], tolerances[2];
    assert_int_equal(reference_bag(model, &query, bag, tolerances, &err), COLLIDE_INVALID);
    assert_string_equal(err.text, "the model has no feature \"countr\"");
    collide_model_close(model);
}

/* 100 - 100: a kernel may add up both parts on their own, so what is left has their rounding errors. */
static void tolerance_goes_by_the_parts_that_cancel_out(void **state)
{
    (void)state;
    static const int8_t rows[] = {100, 0, 0, 0};
    static const uint16_t scales[] = {0x3c00, 0xd640, 0, 0}; /* 1, -100 */
    const struct model m = of_rows((struct row_table){.n = 2,
                                                      .width = 2,
                                                      .precision = PRECISION_I8,
                                                      .scaling = SCALING_ROW_OFFSET,
                                                      .values = rows,
                                                      .scales = scales});
    struct collide_model *model = write_and_open(&m);
    const struct collide_query query = {.history = &USER, .n_history = 1, .items = &USER, .n_items = 1};
    double bag[2], tolerances[2];
    struct reference_score score;
    assert_int_equal(reference_bag(model, &query, bag, tolerances, NULL), COLLIDE_OK);
    assert_true(bag[0] == 0 && bag[1] == -100);
    assert_true(tolerances[0] > 200 * 0x1p-24 && tolerances[0] < 200 * 8 * 0x1p-24);
    /* s <bag, q> + o sum of bag = 0 + 100 * 100, from parts of 200 * 0 and 100 * 100. */
    assert_int_equal(reference_score(model, &query, &score, NULL), COLLIDE_OK);
    assert_true(score.value == 10000);
    assert_true(score.tolerance > 1e4 * 0x1p-24 && score.tolerance < 1e4 * 64 * 0x1p-24);
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
        cmocka_unit_test(four_bit_rows_by_hand),
        cmocka_unit_test(three_bit_rows_by_hand),
        cmocka_unit_test(two_bit_rows_by_hand),
        cmocka_unit_test(rows_with_scale_and_offset_by_hand),
        cmocka_unit_test(line_rows_by_hand),
        cmocka_unit_test(several_rows_are_summed_multiplied_or_concatenated),
        cmocka_unit_test(sums_of_rows_are_concatenated),
        cmocka_unit_test(lookups_are_weighted_by_id),
        cmocka_unit_test(remainder_and_quotient_rows_are_combined),
        cmocka_unit_test(modulo_rows_go_round),
        cmocka_unit_test(users_of_two_rows_score_items_of_one),
        cmocka_unit_test(line_rows_are_scaled_by_dimension_of_the_embedding),
        cmocka_unit_test(scores_of_several_rows_by_hand),
        cmocka_unit_test(packed_and_hashed_mappings_lead_to_their_rows),
        cmocka_unit_test(max_pooling_takes_each_dimension_of_its_own),
        cmocka_unit_test(what_has_no_weight_is_zero_to_max_pooling),
        cmocka_unit_test(users_and_features_join_the_bag),
        cmocka_unit_test(a_feature_that_the_model_does_not_have_is_refused),
        cmocka_unit_test(tolerance_goes_by_the_parts_that_cancel_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
