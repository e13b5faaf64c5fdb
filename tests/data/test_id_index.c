#include "data/id_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool parses(const char *text, uint64_t *value)
{
    return id_parse_u64(text, strlen(text), value);
}

static void integers_parse_in_their_one_spelling(void **state)
{
    (void)state;
    uint64_t value = 99;
    assert_true(parses("0", &value));
    assert_int_equal(value, 0);
    assert_true(parses("9007199254740993", &value));
    assert_true(value == 9007199254740993u);
    assert_true(parses("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
    const char *const others[] = {"",
                                  "00",
                                  "007",
                                  "+1",
                                  "-1",
                                  " 1",
                                  "1 ",
                                  "1.0",
                                  "1e3",
                                  "0x1",
                                  "abc",
                                  "12a",
                                  "\xb2",
                                  "18446744073709551616",
                                  "99999999999999999999",
                                  "100000000000000000000"};
    value = 99;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(parses(others[i], &value));
    assert_int_equal(value, 99);
}

static void dense_ids_are_their_own_numbers_in_either_spelling(void **state)
{
    (void)state;
    struct id_index index = {.kind = ID_DENSE, .n_ids = 10};
    assert_int_equal(id_index_find(&index, collide_id_number(0)), 0);
    assert_int_equal(id_index_find(&index, collide_id_number(9)), 9);
    assert_int_equal(id_index_find(&index, collide_id_text("9", 1)), 9);
    assert_int_equal(id_index_find(&index, collide_id_number(10)), 10);
    assert_int_equal(id_index_find(&index, collide_id_number(UINT64_MAX)), 10);
    assert_int_equal(id_index_find(&index, collide_id_number((uint64_t)1 << 32)), 10);
    assert_int_equal(id_index_find(&index, collide_id_text("09", 2)), 10);
    assert_int_equal(id_index_find(&index, collide_id_text("", 0)), 10);
    struct collide_id key = id_index_key(&index, 7);
    assert_null(key.text);
    assert_int_equal(key.number, 7);
}

static void an_index_without_ids_knows_none(void **state)
{
    (void)state;
    for (int kind = ID_DENSE; kind <= ID_STRING; kind++) {
        struct id_index index = {.kind = (enum id_kind)kind};
        assert_int_equal(id_index_find(&index, collide_id_number(0)), 0);
        assert_int_equal(id_index_find(&index, collide_id_text("a", 1)), 0);
    }
}

/* As a damaged file might have it: every slot taken, so that no empty one ends a search. */
static void a_full_index_ends_its_search(void **state)
{
    (void)state;
    const uint64_t keys[] = {100, 200};
    const uint64_t offsets[] = {0, 1, 2};
    const uint32_t slots[] = {0, 1};
    struct id_index numbers = {.kind = ID_U64, .n_ids = 2, .keys = keys, .slots = slots, .n_slots = 2};
    assert_int_equal(id_index_find(&numbers, collide_id_number(300)), 2);
    assert_int_equal(id_index_find(&numbers, collide_id_number(200)), 1);
    struct id_index texts = {.kind = ID_STRING,
                             .n_ids = 2,
                             .key_bytes = "ab",
                             .key_offsets = offsets,
                             .slots = slots,
                             .n_slots = 2};
    assert_int_equal(id_index_find(&texts, collide_id_text("c", 1)), 2);
    assert_int_equal(id_index_find(&texts, collide_id_text("b", 1)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_parse_in_their_one_spelling),
        cmocka_unit_test(dense_ids_are_their_own_numbers_in_either_spelling),
        cmocka_unit_test(an_index_without_ids_knows_none),
        cmocka_unit_test(a_full_index_ends_its_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
