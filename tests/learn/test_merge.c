#include "learn/store/merge.h"
#include "model/mapping.h"
#include "model_draft.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Three ids and the unknown one; the pairs of their two lookups are (0, 2), (1, 3), (0, 2), (0, 3). */
static const float rows[] = {1.0f, 2.0f, 3.0f, 4.0f, 10.0f, 20.0f, 30.0f, 40.0f};
static const uint32_t remap[] = {0, 2, 1, 3, 0, 2, 0, 3};

static struct model small_model(enum combine combine)
{
    return (struct model){.dim = combine == COMBINE_CONCAT ? 4 : 2,
                          .rows = {.n = 4, .width = 2, .precision = PRECISION_F32, .values = rows},
                          .mapping = {.combine = combine, .n_lookups = 2},
                          .item = {.n_ids = 3, .remap = remap}};
}

static void expect_rows(enum combine combine, const float *wanted, uint32_t width)
{
    struct model m = small_model(combine);
    struct merge merge;
    const uint32_t wanted_rows[] = {0, 2, 0, 1};
    assert_int_equal(merge_create(&m, &merge, NULL), COLLIDE_OK);
    assert_int_equal(merge.n_lookups, 1);
    assert_int_equal(merge.width, width);
    assert_int_equal(merge.n_rows, 3);
    for (uint32_t id = 0; id <= 3; id++)
        assert_int_equal(merge_row_of(&merge, &m.item, id, 0), wanted_rows[id]);
    for (uint32_t r = 0; r < 3; r++) {
        float row[4];
        merge_read_row(&merge, r, row);
        assert_memory_equal(row, wanted + r * width, width * sizeof *row);
    }
    merge_free(&merge);
}

static void merged_rows_are_what_their_pair_combines_to(void **state)
{
    (void)state;
    const float sums[] = {11, 22, 31, 42, 33, 44}, products[] = {10, 40, 30, 80, 90, 160},
                beside[] = {1, 2, 10, 20, 1, 2, 30, 40, 3, 4, 30, 40};
    expect_rows(COMBINE_SUM, sums, 2);
    expect_rows(COMBINE_MULTIPLY, products, 2);
    expect_rows(COMBINE_CONCAT, beside, 4);
}

/* Lookup p of a merged id is what lookups 2 p and 2 p + 1 were, in every space; and no pair has two rows. */
static void every_entry_finds_its_pair(void **state)
{
    (void)state;
    for (uint32_t n_lookups = 2; n_lookups <= 6; n_lookups += 2)
        for (int kind = MAPPING_STORED; kind <= MAPPING_HASHED; kind++) {
            static struct draft d;
            const struct draft_shape shape = {.n_lookups = n_lookups, .mapping = (enum mapping_kind)kind};
            struct merge merge;
            draft_fill(&d, &shape, n_lookups);
            assert_int_equal(merge_create(&d.model, &merge, NULL), COLLIDE_OK);
            assert_int_equal(merge.first_rows[n_lookups / 2], merge.n_rows);
            for (size_t s = 0; s < model_n_spaces(&d.model); s++)
                for (uint32_t id = 0; id <= model_space(&d.model, s)->n_ids; id++)
                    for (uint32_t p = 0; p < n_lookups / 2; p++) {
                        const struct space *space = model_space(&d.model, s);
                        uint32_t r = merge_row_of(&merge, space, id, p);
                        assert_in_range(r, merge.first_rows[p], merge.first_rows[p + 1] - 1);
                        assert_int_equal(merge.pairs[r] >> 32, model_row_of(&d.model, space, id, 2 * p));
                        assert_int_equal((uint32_t)merge.pairs[r],
                                         model_row_of(&d.model, space, id, 2 * p + 1));
                    }
            for (uint32_t p = 0; p < n_lookups / 2; p++)
                for (uint32_t r = merge.first_rows[p] + 1; r < merge.first_rows[p + 1]; r++)
                    assert_true(merge.pairs[r] > merge.pairs[r - 1]);
            merge_free(&merge);
        }
}

/* Remainder and quotient of the same numbers tell ids of different spaces not apart. */
static void a_quotient_mapping_merges_to_a_row_a_number(void **state)
{
    (void)state;
    static struct draft d;
    const struct draft_shape shape = {
        .n_lookups = 2, .combine = COMBINE_MULTIPLY, .mapping = MAPPING_QUOTIENT};
    struct merge merge;
    draft_fill(&d, &shape, 3);
    assert_int_equal(merge_create(&d.model, &merge, NULL), COLLIDE_OK);
    assert_int_equal(merge.n_rows, DRAFT_ITEMS + 1);
    assert_int_equal(merge_mapping(&merge).kind, MAPPING_STORED);
    assert_int_equal(merge_row_of(&merge, &d.model.item, DRAFT_ITEMS, 0), DRAFT_ITEMS);
    for (uint32_t id = 0; id < DRAFT_USERS; id++)
        assert_int_equal(merge_row_of(&merge, &d.model.item, id, 0),
                         merge_row_of(&merge, &d.model.user, id, 0));
    merge_free(&merge);
}

static void pairs_across_two_parts_are_refused(void **state)
{
    (void)state;
    static struct draft d;
    const struct draft_shape shape = {.n_lookups = 6, .combine = COMBINE_CONCAT, .n_parts = 2};
    struct merge merge;
    struct collide_error err = {0};
    draft_fill(&d, &shape, 1);
    assert_int_equal(merge_create(&d.model, &merge, &err), COLLIDE_UNSUPPORTED);
    assert_non_null(strstr(err.text, "each part of an embedding is the sum of 3"));
}

static void weighted_lookups_are_refused(void **state)
{
    (void)state;
    static struct draft d;
    const struct draft_shape shape = {.n_lookups = 2, .has_lookup_weights = true};
    struct merge merge;
    struct collide_error err = {0};
    draft_fill(&d, &shape, 1);
    assert_int_equal(merge_create(&d.model, &merge, &err), COLLIDE_UNSUPPORTED);
    assert_non_null(strstr(err.text, "weigh their rows"));
}

static void odd_lookups_are_refused(void **state)
{
    (void)state;
    for (uint32_t n_lookups = 1; n_lookups <= 5; n_lookups += 2) {
        static struct draft d;
        const struct draft_shape shape = {.n_lookups = n_lookups};
        struct merge merge;
        struct collide_error err = {0};
        draft_fill(&d, &shape, 1);
        assert_int_equal(merge_create(&d.model, &merge, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "merged by twos"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged_rows_are_what_their_pair_combines_to),
        cmocka_unit_test(every_entry_finds_its_pair),
        cmocka_unit_test(a_quotient_mapping_merges_to_a_row_a_number),
        cmocka_unit_test(odd_lookups_are_refused),
        cmocka_unit_test(weighted_lookups_are_refused),
        cmocka_unit_test(pairs_across_two_parts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
