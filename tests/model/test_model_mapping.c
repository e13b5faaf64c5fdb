/* From ids to rows: stored, packed and computed mappings, against bits and numbers worked out elsewhere. */
#include "model/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Entries numbered: items 0 to 7, users 8 to 11, countries 12 to 15, systems 16 to 18. */
static const struct feature FEATURES[] = {{.name = "country", .space = {.n_ids = 3}},
                                          {.name = "os", .space = {.n_ids = 2}}};

static struct model hashed_model(uint32_t n_rows, uint32_t n_lookups, uint64_t seed)
{
    return (struct model){.rows = {.n = n_rows},
                          .mapping = {.kind = MAPPING_HASHED, .n_lookups = n_lookups, .seed = seed},
                          .item = {.n_ids = 7},
                          .user = {.n_ids = 3},
                          .user_is_embedded = true,
                          .features = FEATURES,
                          .n_features = 2};
}

static void entries_of_all_spaces_are_numbered_through(void **state)
{
    (void)state;
    struct model m = hashed_model(5, 1, 0);
    static const uint64_t bases[] = {0, 8, 12, 16, 19};
    for (size_t s = 0; s <= model_n_spaces(&m); s++)
        assert_int_equal(model_entry_base(&m, s), bases[s]);
    m.user_is_embedded = false; /* such users have no entries */
    static const uint64_t without_users[] = {0, 8, 8, 12, 15};
    for (size_t s = 0; s <= model_n_spaces(&m); s++)
        assert_int_equal(model_entry_base(&m, s), without_users[s]);
    assert_string_equal(model_space_name(&m, SPACE_ITEM), "item");
    assert_string_equal(model_space_name(&m, SPACE_USER), "user");
    assert_string_equal(model_space_name(&m, SPACE_FEATURES + 1), "os");
}

/* Worked out in Python from the formula in the header. */
static void hashed_rows_are_the_documented_ones(void **state)
{
    (void)state;
    static const struct {
        uint32_t n_rows, n_lookups;
        uint64_t seed;
        size_t space;
        uint32_t id, first, last; /* rows of the first lookup and the last */
    } cases[] = {
        {5, 1, 0, SPACE_ITEM, 0, 1, 1},
        {5, 1, 0, SPACE_ITEM, 6, 0, 0},
        {5, 1, 0, SPACE_USER, 0, 2, 2},
        {5, 1, 0, SPACE_FEATURES, 0, 3, 3},
        {1000, 2, 1, SPACE_ITEM, 0, 565, 590},
        {1000, 2, 1, SPACE_ITEM, 6, 767, 416},
        {1000, 2, 1, SPACE_USER, 2, 26, 780},
        {1000, 2, 1, SPACE_FEATURES + 1, 1, 301, 911},
        {UINT32_MAX, 3, 0xfedcba9876543210, SPACE_ITEM, 0, 1170827164, 600883280},
        {UINT32_MAX, 3, 0xfedcba9876543210, SPACE_USER, 0, 462526667, 3877660340},
        {UINT32_MAX, 3, 0xfedcba9876543210, SPACE_FEATURES, 0, 4204828688, 3922345018},
        {UINT32_MAX, 3, 0xfedcba9876543210, SPACE_FEATURES + 1, 1, 887339027, 60262200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model m = hashed_model(cases[i].n_rows, cases[i].n_lookups, cases[i].seed);
        const struct space *space = model_space(&m, cases[i].space);
        assert_int_equal(model_row_of(&m, space, cases[i].id, 0), cases[i].first);
        assert_int_equal(model_row_of(&m, space, cases[i].id, m.mapping.n_lookups - 1), cases[i].last);
    }
}

/* Worked out likewise. */
static void hashed_rows_keep_to_those_of_their_space(void **state)
{
    (void)state;
    static const struct {
        uint32_t n_rows, n_lookups;
        uint64_t seed;
        struct own_rows own;
        size_t space;
        uint32_t id, first, last;
    } cases[] = {
        {1000, 2, 1, {100, 50}, SPACE_ITEM, 0, 128, 129},
        {1000, 2, 1, {100, 50}, SPACE_ITEM, 6, 138, 120},
        {1000, 2, 1, {300, 7}, SPACE_USER, 2, 300, 305},
        {2, 3, 0xfedcba9876543210, {0, 1}, SPACE_FEATURES + 1, 0, 0, 0},
        {UINT32_MAX,
         3,
         0xfedcba9876543210,
         {1u << 31, (1u << 31) - 2},
         SPACE_FEATURES + 1,
         1,
         2591153161,
         2177614748},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feature features[2] = {FEATURES[0], FEATURES[1]};
        struct model m = hashed_model(cases[i].n_rows, cases[i].n_lookups, cases[i].seed);
        m.features = features;
        m.item.own_rows = m.user.own_rows = features[1].space.own_rows = cases[i].own;
        const struct space *space = model_space(&m, cases[i].space);
        assert_int_equal(model_row_of(&m, space, cases[i].id, 0), cases[i].first);
        assert_int_equal(model_row_of(&m, space, cases[i].id, m.mapping.n_lookups - 1), cases[i].last);
        assert_int_equal(model_row_of(&m, space, space->n_ids, 0), cases[i].n_rows - 1);
    }
}

/* Two codebooks of three rows, from row 4 on: 4 to 6, 7 to 9. */
static void packed_entries_count_from_their_codebook(void **state)
{
    (void)state;
    static const uint32_t entries[] = {0, 0, 1, 2, 2, 1, 3, 3}, rows[] = {4, 7, 5, 9, 6, 8, 11, 11};
    uint32_t words[2];
    mapping_pack(entries, 8, 2, words);
    assert_int_equal(words[0], 0xf690);
    struct model m = {.rows = {.n = 12},
                      .mapping = {.kind = MAPPING_PACKED, .n_lookups = 2, .bits = 2},
                      .item = {.n_ids = 3, .own_rows = {4, 6}, .remap = words}};
    for (uint32_t e = 0; e < 8; e++)
        assert_int_equal(model_row_of(&m, &m.item, e / 2, e % 2), rows[e]);
    assert_int_equal(mapping_n_choices(&m, &m.item), 3);
    m.item.own_rows.n = 0;
    assert_int_equal(mapping_n_choices(&m, &m.item), 12);
}

static void the_last_hashed_row_is_that_of_unknown_ids_alone(void **state)
{
    (void)state;
    for (uint32_t n_rows = 2; n_rows < 12; n_rows++) {
        struct model m = hashed_model(n_rows, 4, n_rows * 0x123456789abcdefull);
        for (size_t s = 0; s < model_n_spaces(&m); s++) {
            const struct space *space = model_space(&m, s);
            for (unsigned l = 0; l < 4; l++) {
                for (uint32_t id = 0; id < space->n_ids; id++)
                    assert_in_range(model_row_of(&m, space, id, l), 0, n_rows - 2);
                assert_int_equal(model_row_of(&m, space, space->n_ids, l), n_rows - 1);
            }
        }
    }
}

/* Each of 8,000 entries falls on one of 16 rows: 500 a row, give or take six times their deviation of 22. */
static void hashed_rows_are_spread_evenly(void **state)
{
    (void)state;
    enum { N_IDS = 4000, N_ROWS = 16 };
    struct model m = hashed_model(N_ROWS + 1, 2, 42);
    unsigned counts[N_ROWS] = {0};
    m.item.n_ids = N_IDS;
    for (uint32_t id = 0; id < N_IDS; id++)
        for (unsigned l = 0; l < 2; l++)
            counts[model_row_of(&m, &m.item, id, l)]++;
    for (unsigned r = 0; r < N_ROWS; r++)
        assert_in_range(counts[r], 500 - 132, 500 + 132);
}

/* Each space counts its own ids. */
static void modulo_and_quotient_rows_count_ids_within_their_space(void **state)
{
    (void)state;
    struct model m = hashed_model(5, 1, 0);
    m.mapping.kind = MAPPING_MODULO;
    static const uint32_t items[] = {0, 1, 2, 3, 0, 1, 2, 4}, users[] = {0, 1, 2, 4};
    for (uint32_t id = 0; id <= 7; id++)
        assert_int_equal(model_row_of(&m, &m.item, id, 0), items[id]);
    for (uint32_t id = 0; id <= 3; id++)
        assert_int_equal(model_row_of(&m, &m.user, id, 0), users[id]);
    m = hashed_model(8, 2, 0);
    m.mapping.kind = MAPPING_QUOTIENT;
    m.mapping.divisor = 3;
    static const uint32_t pairs[][2] = {{0, 3}, {1, 3}, {2, 3}, {0, 4}, {1, 4}, {2, 4}, {0, 5}, {7, 7}};
    for (unsigned l = 0; l < 2; l++) {
        for (uint32_t id = 0; id <= 7; id++)
            assert_int_equal(model_row_of(&m, &m.item, id, l), pairs[id][l]);
        for (uint32_t id = 0; id <= 3; id++)
            assert_int_equal(model_row_of(&m, &m.user, id, l), pairs[id < 3 ? id : 7][l]);
    }
}

/* Items keep to the 4 rows from 2 on, users to the last of them. */
static void modulo_and_quotient_rows_begin_where_those_of_the_space_do(void **state)
{
    (void)state;
    struct model m = hashed_model(9, 1, 0);
    m.mapping.kind = MAPPING_MODULO;
    m.item.own_rows = (struct own_rows){2, 4};
    m.user.own_rows = (struct own_rows){5, 1};
    static const uint32_t items[] = {2, 3, 4, 5, 2, 3, 4, 8};
    for (uint32_t id = 0; id <= 7; id++)
        assert_int_equal(model_row_of(&m, &m.item, id, 0), items[id]);
    for (uint32_t id = 0; id <= 3; id++)
        assert_int_equal(model_row_of(&m, &m.user, id, 0), id < 3 ? 5 : 8);
    m = hashed_model(12, 2, 0);
    m.mapping.kind = MAPPING_QUOTIENT;
    m.mapping.divisor = 3;
    m.item.own_rows = (struct own_rows){1, 6};
    static const uint32_t pairs[][2] = {{1, 4}, {2, 4}, {3, 4}, {1, 5}, {2, 5}, {3, 5}, {1, 6}, {11, 11}};
    for (unsigned l = 0; l < 2; l++)
        for (uint32_t id = 0; id <= 7; id++)
            assert_int_equal(model_row_of(&m, &m.item, id, l), pairs[id][l]);
}

static void stored_entries_stand_by_id_and_lookup(void **state)
{
    (void)state;
    static const uint32_t remap[] = {4, 3, 2, 1, 0, 5};
    struct model m = {.rows = {.n = 6},
                      .mapping = {.kind = MAPPING_STORED, .n_lookups = 2},
                      .item = {.n_ids = 2, .remap = remap}};
    for (uint32_t e = 0; e < 6; e++)
        assert_int_equal(model_row_of(&m, &m.item, e / 2, e % 2), remap[e]);
}

/* Users have two rows, items one: what is missing is the last row. */
static void lookups_that_a_space_does_not_have_lead_to_the_last_row(void **state)
{
    (void)state;
    static const uint32_t items[] = {4, 3, 2}, users[] = {1, 0, 3, 3};
    struct model m = {.rows = {.n = 6},
                      .mapping = {.kind = MAPPING_STORED, .n_lookups = 2},
                      .item = {.n_ids = 2, .n_lookups = 1, .remap = items},
                      .user = {.n_ids = 1, .remap = users}};
    for (uint32_t e = 0; e < 4; e++)
        assert_int_equal(model_row_of(&m, &m.user, e / 2, e % 2), users[e]);
    for (uint32_t id = 0; id < 3; id++) {
        assert_int_equal(model_row_of(&m, &m.item, id, 0), items[id]);
        assert_int_equal(model_row_of(&m, &m.item, id, 1), 5);
    }
}

/* 5 bits each: 1, 2, 3 ... from the low end of the first word; the seventh, 7 = 00111, crosses into the next.
 */
static void packed_entries_follow_one_another_from_the_low_bits_on(void **state)
{
    (void)state;
    static const uint32_t entries[] = {1, 2, 3, 4, 5, 6, 7, 31};
    uint32_t words[3] = {0};
    assert_int_equal(mapping_n_words(8, 5), 3);
    mapping_pack(entries, 8, 5, words);
    assert_int_equal(words[0], 1u | 2u << 5 | 3u << 10 | 4u << 15 | 5u << 20 | 6u << 25 | 7u << 30);
    assert_int_equal(words[1], 7u >> 2 | 31u << 3);
    assert_int_equal(words[2], 0);
    struct model m = {.rows = {.n = 32},
                      .mapping = {.kind = MAPPING_PACKED, .n_lookups = 2, .bits = 5},
                      .item = {.n_ids = 3, .remap = words}};
    for (uint32_t e = 0; e < 8; e++)
        assert_int_equal(model_row_of(&m, &m.item, e / 2, e % 2), entries[e]);
}

/* In as little memory as they may have: a sanitizer would see a word too many read. */
static void packed_entries_of_any_width_are_read_back(void **state)
{
    (void)state;
    for (uint32_t bits = 1; bits <= 32; bits++)
        for (uint32_t n = 1; n < 70; n += 17) {
            uint32_t entries[70];
            for (uint32_t e = 0; e < n; e++)
                entries[e] = (e * 0x9e3779b9u ^ 0xffffffffu) >> (32 - bits);
            uint32_t *words = malloc(mapping_n_words(n, bits) * sizeof *words);
            assert_non_null(words);
            memset(words, 0xff, mapping_n_words(n, bits) * sizeof *words);
            mapping_pack(entries, n, bits, words);
            struct model m = {.mapping = {.kind = MAPPING_PACKED, .n_lookups = 1, .bits = bits},
                              .item = {.n_ids = n - 1, .remap = words}};
            for (uint32_t e = 0; e < n; e++)
                assert_int_equal(model_row_of(&m, &m.item, e, 0), entries[e]);
            free(words);
        }
}

static void as_many_bits_as_the_last_row_takes(void **state)
{
    (void)state;
    static const uint32_t expected[][2] = {{1, 1},      {2, 1},      {3, 2},         {4, 2},          {5, 3},
                                           {65536, 16}, {65537, 17}, {1u << 31, 31}, {UINT32_MAX, 32}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(mapping_bits(expected[i][0]), expected[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_of_all_spaces_are_numbered_through),
        cmocka_unit_test(hashed_rows_are_the_documented_ones),
        cmocka_unit_test(hashed_rows_keep_to_those_of_their_space),
        cmocka_unit_test(packed_entries_count_from_their_codebook),
        cmocka_unit_test(the_last_hashed_row_is_that_of_unknown_ids_alone),
        cmocka_unit_test(hashed_rows_are_spread_evenly),
        cmocka_unit_test(modulo_and_quotient_rows_count_ids_within_their_space),
        cmocka_unit_test(modulo_and_quotient_rows_begin_where_those_of_the_space_do),
        cmocka_unit_test(stored_entries_stand_by_id_and_lookup),
        cmocka_unit_test(lookups_that_a_space_does_not_have_lead_to_the_last_row),
        cmocka_unit_test(packed_entries_follow_one_another_from_the_low_bits_on),
        cmocka_unit_test(packed_entries_of_any_width_are_read_back),
        cmocka_unit_test(as_many_bits_as_the_last_row_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
