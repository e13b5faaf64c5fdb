#include "learn/evaluate.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Two directions, four items: items 0 and 1 lie along x, 2 and 3 along y; bias breaks their ties. */
static const float rows[] = {1.0f, 0.0f, 0.0f, 1.0f};
static const uint32_t remap[] = {0, 0, 1, 1, 1};
static const float weights[] = {1.0f, 1.0f, 1.0f, 1.0f, 0.0f};
static const float bias[] = {0.0f, 0.1f, 0.2f, 0.0f, 0.0f};

static struct model small_model(void)
{
    return (struct model){.dim = 2,
                          .pooling = POOLING_NORMALISED,
                          .logit_scale = 10.0f,
                          .rows = {.n = 2, .width = 2, .precision = PRECISION_F32, .values = rows},
                          .mapping = {.n_lookups = 1},
                          .item = {.n_ids = 4, .remap = remap, .weights = weights},
                          .bias = bias};
}

/* User 0 has item 0, is asked for 1 and 3: ranking 1 (10.1), 2 (0.2), 3 (0).
 * User 1 has item 2, is asked for 0: ranking 3 (10), 1 (0.1), 0 (0).
 * User 2 has nothing held out. User 3 has no history, is asked for 3: ranking 2, 1, 0, 3, by bias then id. */
static uint64_t history_offsets[] = {0, 1, 2, 3, 3};
static uint32_t history_values[] = {0, 2, 1};
static uint64_t relevant_offsets[] = {0, 2, 3, 3, 4};
static uint32_t relevant_values[] = {1, 3, 0, 3};

static const struct csr histories = {.n_rows = 4, .offsets = history_offsets, .values = history_values};
static const struct csr relevant = {.n_rows = 4, .offsets = relevant_offsets, .values = relevant_values};

static void check_model(const struct model *m, uint32_t cutoff, const struct csr *masked, double recall,
                        double ndcg)
{
    struct evaluation e = {&histories, masked, &relevant, cutoff};
    for (unsigned n_threads = 1; n_threads <= 4; n_threads++) {
        struct parallel *team = fixture_team(n_threads);
        struct quality q;
        assert_int_equal(evaluate_model(m, &e, team, &q, NULL), COLLIDE_OK);
        assert_int_equal(q.n_users, 3);
        assert_true(fabs(q.recall - recall) < 1e-12);
        assert_true(fabs(q.ndcg - ndcg) < 1e-12);
        parallel_destroy(team);
    }
}

static void check(uint32_t cutoff, const struct csr *masked, double recall, double ndcg)
{
    struct model m = small_model();
    check_model(&m, cutoff, masked, recall, ndcg);
}

static void recall_and_ndcg_follow_their_definitions(void **state)
{
    (void)state;
    const double second = 1.0 / log2(3.0), fourth = 1.0 / log2(5.0);
    check(1, NULL, 1.0 / 3.0, 1.0 / 3.0);
    check(2, NULL, 0.5 / 3.0, 1.0 / (1.0 + second) / 3.0);
    check(3, NULL, (1.0 + 1.0) / 3.0, ((1.0 + 0.5) / (1.0 + second) + 0.5) / 3.0);
    check(1000, NULL, 1.0, ((1.0 + 0.5) / (1.0 + second) + 0.5 + fourth) / 3.0);
}

/* Items 0 and 3 are of one class, the unknown one of class 0. */
static void values_by_class_count_as_those_by_id(void **state)
{
    (void)state;
    static const uint32_t codes[] = {1 | 2 << 2 | 3 << 4 | 1 << 6, 0};
    static const float class_weights[] = {0.0f, 1.0f, 1.0f, 1.0f}, class_bias[] = {0.0f, 0.0f, 0.1f, 0.2f};
    const double second = 1.0 / log2(3.0);
    struct model m = small_model();
    m.item.weights = m.bias = NULL;
    m.item.classes = (struct id_classes){codes, 2, class_weights, class_bias};
    check_model(&m, 1, NULL, 1.0 / 3.0, 1.0 / 3.0);
    check_model(&m, 3, NULL, (1.0 + 1.0) / 3.0, ((1.0 + 0.5) / (1.0 + second) + 0.5) / 3.0);
}

static void masked_items_are_not_recommended(void **state)
{
    (void)state;
    uint64_t offsets[] = {0, 1, 2, 2, 2};
    uint32_t values[] = {2, 3};
    const struct csr masked = {.n_rows = 4, .offsets = offsets, .values = values};
    /* Now user 0 sees 1, 3 and user 1 sees 1, 0. */
    check(2, &masked, (1.0 + 1.0) / 3.0, (1.0 + 1.0 / log2(3.0)) / 3.0);
}

static void packed_mappings_are_evaluated_as_stored_ones(void **state)
{
    (void)state;
    const uint32_t words[] = {0x1cu, 0}; /* remap, a bit an entry */
    struct model m = small_model();
    m.mapping = (struct row_mapping){.kind = MAPPING_PACKED, .n_lookups = 1, .bits = 1};
    m.item.remap = words;
    struct evaluation e = {&histories, NULL, &relevant, 1};
    struct parallel *team = fixture_team(1);
    struct quality q;
    assert_int_equal(evaluate_model(&m, &e, team, &q, NULL), COLLIDE_OK);
    assert_true(fabs(q.recall - 1.0 / 3.0) < 1e-12);
    parallel_destroy(team);
}

static void rows_with_weights_are_evaluated_as_what_they_amount_to(void **state)
{
    (void)state;
    static const float longer_rows[] = {2.0f, 0.0f, 0.0f, -4.0f};
    static const float lookup_weights[] = {0.5f, 0.5f, -0.25f, -0.25f, 0.0f};
    const double second = 1.0 / log2(3.0);
    struct model m = small_model();
    m.rows.values = longer_rows;
    m.item.lookup_weights = lookup_weights;
    check_model(&m, 1, NULL, 1.0 / 3.0, 1.0 / 3.0);
    check_model(&m, 2, NULL, 0.5 / 3.0, 1.0 / (1.0 + second) / 3.0);
    check_model(&m, 3, NULL, (1.0 + 1.0) / 3.0, ((1.0 + 0.5) / (1.0 + second) + 0.5) / 3.0);
}

/* The same embeddings as sums with nothing, products with ones, and halves. */
static void several_lookups_are_evaluated_as_one(void **state)
{
    (void)state;
    static const float wide[] = {1.0f, 0.0f, 0.0f, 1.0f, 0.0f, 0.0f, 1.0f, 1.0f}, narrow[] = {1.0f, 0.0f};
    static const uint32_t with_nothing[] = {0, 2, 2, 0, 1, 2, 2, 1, 2, 2},
                          with_ones[] = {0, 3, 3, 0, 1, 3, 3, 1, 2, 2},
                          halves[] = {0, 1, 0, 1, 1, 0, 1, 0, 1, 1};
    static const uint32_t *const remaps[] = {with_nothing, with_ones, halves};
    const double second = 1.0 / log2(3.0);
    for (int c = COMBINE_SUM; c <= COMBINE_CONCAT; c++) {
        struct model m = small_model();
        m.mapping = (struct row_mapping){.combine = (enum combine)c, .n_lookups = 2};
        m.rows.n = c == COMBINE_CONCAT ? 2 : 4;
        m.rows.width = c == COMBINE_CONCAT ? 1 : 2;
        m.rows.values = c == COMBINE_CONCAT ? narrow : wide;
        m.item.remap = remaps[c];
        check_model(&m, 2, NULL, 0.5 / 3.0, 1.0 / (1.0 + second) / 3.0);
        check_model(&m, 3, NULL, (1.0 + 1.0) / 3.0, ((1.0 + 0.5) / (1.0 + second) + 0.5) / 3.0);
    }
}

/* User 0 lies along y, the others along x. By themselves they rank 2 first, or 1 then 0; with its history's x
 * user 0 lies between both, and the larger bias puts 1 first. */
static void users_embeddings_are_queries_with_histories_where_those_are_stored(void **state)
{
    (void)state;
    static const uint32_t rows_of_users[] = {1, 0, 0, 0, 0};
    static const float larger_bias[] = {0.0f, 0.5f, 0.2f, 0.0f, 0.0f};
    const double second = 1.0 / log2(3.0);
    struct model m = small_model();
    m.bias = larger_bias;
    m.user = (struct space){.n_ids = 4, .remap = rows_of_users};
    m.user_is_embedded = true;
    check_model(&m, 1, NULL, 0.0, 0.0);
    check_model(&m, 2, NULL, (0.5 + 1.0) / 3.0, (second / (1.0 + second) + second) / 3.0);
    m.histories.offsets = (const uint32_t[]){0, 1, 2, 3, 3};
    m.histories.items = history_values;
    check_model(&m, 1, NULL, 1.0 / 3.0, 1.0 / 3.0);
}

static void what_cannot_be_evaluated_is_refused(void **state)
{
    (void)state;
    struct model m = small_model();
    struct parallel *team = fixture_team(1);
    struct quality q;
    struct evaluation e = {&histories, NULL, &relevant, 0};
    assert_int_equal(evaluate_model(&m, &e, team, &q, NULL), COLLIDE_INVALID);
    e.cutoff = EVALUATION_MAX_CUTOFF + 1;
    assert_int_equal(evaluate_model(&m, &e, team, &q, NULL), COLLIDE_INVALID);
    e.cutoff = 10;
    m.pooling = POOLING_SUM;
    assert_int_equal(evaluate_model(&m, &e, team, &q, NULL), COLLIDE_UNSUPPORTED);
    parallel_destroy(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recall_and_ndcg_follow_their_definitions),
        cmocka_unit_test(values_by_class_count_as_those_by_id),
        cmocka_unit_test(masked_items_are_not_recommended),
        cmocka_unit_test(packed_mappings_are_evaluated_as_stored_ones),
        cmocka_unit_test(rows_with_weights_are_evaluated_as_what_they_amount_to),
        cmocka_unit_test(several_lookups_are_evaluated_as_one),
        cmocka_unit_test(users_embeddings_are_queries_with_histories_where_those_are_stored),
        cmocka_unit_test(what_cannot_be_evaluated_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
