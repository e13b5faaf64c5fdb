#include "base/buffer.h"
#include "log_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define AUTO      LOG_LAYOUT_AUTO
#define PAIRS     LOG_LAYOUT_PAIRS
#define ADJACENCY LOG_LAYOUT_ADJACENCY

#define IN_DOUBT(line)                                                                                       \
    "invalid: log:" #line                                                                                    \
    ": these lines could be a user and many items, or pairs with further columns; say "                      \
    "which by asking for the layout adjacency or pairs"

static void adjacency_asked_for_is_read_as_such(void **state)
{
    (void)state;
    assert_scan("0 5 6 7\n1\n2 5\n", ADJACENCY, "0|5;0|6;0|7;2|5;");
    assert_scan("0 5\n1 6\n", ADJACENCY, "0|5;1|6;");
    assert_scan("0,5,6\n1,7\n", ADJACENCY, "0|5;0|6;1|7;");
    assert_scan("0 5 6 \r\n1 \r\n", ADJACENCY, "0|5;0|6;");
}

static void long_and_uneven_lines_of_different_users_are_adjacency(void **state)
{
    (void)state;
    assert_scan("0 5 6 7 8\n1 5\n", AUTO, "0|5;0|6;0|7;0|8;1|5;");
    assert_scan("a x y z w\nb x\n", AUTO, "a|x;a|y;a|z;a|w;b|x;");
}

static void a_user_alone_beside_longer_lines_is_adjacency(void **state)
{
    (void)state;
    assert_scan("0 5 6\n1\n2 7\n", AUTO, "0|5;0|6;2|7;");
}

static void a_user_alone_beside_pairs_is_refused(void **state)
{
    (void)state;
    assert_scan(
        "0 5\n1\n2 7\n", AUTO,
        "invalid: log:2: one column where a user and an item are needed; add the item, or ask for the "
        "layout adjacency if this user has none");
}

static void ratings_are_told_by_a_user_who_occurs_twice(void **state)
{
    (void)state;
    assert_scan("1 2 5\n1 3 4\n", AUTO, "1|2;1|3;");
    assert_scan("1 2 5 90\n3 4 5 91\n1 4 5 92\n", AUTO, "1|2;3|4;1|4;");
    assert_scan("1 2 5\n3 4\n1 4\n", AUTO, "1|2;3|4;1|4;");
}

static void ratings_are_told_by_not_being_ids(void **state)
{
    (void)state;
    assert_scan("1 2 4.5\n3 4 3.0\n", AUTO, "1|2;3|4;");
    assert_scan("1 2 2010-10-19 23:55\n3 4\n", AUTO, "1|2;3|4;");
}

/* Here the third column of line 1 is no integer, but that of line 2 could be an item. */
static void one_odd_item_does_not_make_ratings_of_items(void **state)
{
    (void)state;
    assert_scan("0 5 x6 7 8\n1 5 6\n", AUTO, "0|5;0|x6;0|7;0|8;1|5;1|6;");
}

static void what_could_be_either_is_refused(void **state)
{
    (void)state;
    assert_scan("1 2 5\n3 4 5\n", AUTO, IN_DOUBT(1));      /* even lines, all users different */
    assert_scan("# log\n1 2 5\n3 4\n", AUTO, IN_DOUBT(2)); /* optional ratings or short lists */
    assert_scan("0 5 6 7 8 9\n1 2 3 4 5 6\n", AUTO,
                IN_DOUBT(1));                           /* five items each, or five further columns */
    assert_scan("0 5 6 7 8\n0 9\n", AUTO, IN_DOUBT(1)); /* long and uneven, but a user twice */
}

/* The first hundred lines show two columns only; line 101 has three. */
static void a_third_column_after_a_hundred_lines_of_two_is_refused(void **state)
{
    (void)state;
    struct buffer log = {0};
    for (int i = 0; i < 100; i++)
        buffer_printf(&log, "%d 7\n", i);
    buffer_append_text(&log, "100 7 8\n");
    struct scan_result r = scan_bytes(log.bytes, log.n_bytes, AUTO);
    assert_string_equal(r.text,
                        "invalid: log:101: more than two columns, unlike the first lines, which leaves the "
                        "layout in doubt; ask for pairs or adjacency");
    assert_int_equal(scan_bytes(log.bytes, log.n_bytes, PAIRS).counts.n_interactions, 101);
    assert_int_equal(scan_bytes(log.bytes, log.n_bytes, ADJACENCY).counts.n_interactions, 102);
    buffer_free(&log);
}

/* Once judged by the first hundred, later lines may have any number of columns. */
static void adjacency_goes_on_with_any_number_of_columns(void **state)
{
    (void)state;
    struct buffer log = {0};
    for (int i = 0; i < 150; i++)
        buffer_printf(&log, i % 2 ? "%d 1 2 3 4 5\n" : "%d 1\n", i);
    buffer_append_text(&log, "150\n151 1 2\n");
    assert_int_equal(scan_bytes(log.bytes, log.n_bytes, AUTO).counts.n_interactions, 75 * 6 + 2);
    buffer_free(&log);
}

static void tabs_and_commas_mean_pairs(void **state)
{
    (void)state;
    assert_scan("0\t5\t6\t7\t8\n1\t5\t6\t7\t8\n", AUTO, "0|5;1|5;");
    assert_scan("0,5,6,7,8\n1,5,,,\n", AUTO, "0|5;1|5;");
    assert_scan("0,5,6\n1,5\n", AUTO, "0|5;1|5;");
    assert_scan("user,item,a,b,c\n0,5,6,7,8\n1,5\n", AUTO, "0|5;1|5;");
}

static void but_lines_of_many_lengths_mean_adjacency(void **state)
{
    (void)state;
    assert_scan("0\t5\t6\t7\t8\n1\t5\n", AUTO, "0|5;0|6;0|7;0|8;1|5;");
    assert_scan("0,5,6,7,8\n1,5\n", AUTO, "0|5;0|6;0|7;0|8;1|5;");
    assert_scan("0,5,6,7,8\n1,5\n", PAIRS, "0|5;1|5;");
    assert_scan("0,5,6,7,8\n0,5\n", AUTO, "0|5;0|5;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adjacency_asked_for_is_read_as_such),
        cmocka_unit_test(long_and_uneven_lines_of_different_users_are_adjacency),
        cmocka_unit_test(a_user_alone_beside_longer_lines_is_adjacency),
        cmocka_unit_test(a_user_alone_beside_pairs_is_refused),
        cmocka_unit_test(ratings_are_told_by_a_user_who_occurs_twice),
        cmocka_unit_test(ratings_are_told_by_not_being_ids),
        cmocka_unit_test(one_odd_item_does_not_make_ratings_of_items),
        cmocka_unit_test(what_could_be_either_is_refused),
        cmocka_unit_test(a_third_column_after_a_hundred_lines_of_two_is_refused),
        cmocka_unit_test(adjacency_goes_on_with_any_number_of_columns),
        cmocka_unit_test(tabs_and_commas_mean_pairs),
        cmocka_unit_test(but_lines_of_many_lengths_mean_adjacency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
