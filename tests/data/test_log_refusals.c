#include "data/line_reader.h"
#include "log_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AUTO      LOG_LAYOUT_AUTO
#define PAIRS     LOG_LAYOUT_PAIRS
#define ADJACENCY LOG_LAYOUT_ADJACENCY

static void a_missing_item_is_refused(void **state)
{
    (void)state;
    assert_scan(
        "1\t2\n3\n", AUTO,
        "invalid: log:2: one column where a user and an item are needed; separate them by a tab, as the "
        "first line does");
    assert_scan(
        "1,2\n\n3 4\n", AUTO,
        "invalid: log:3: one column where a user and an item are needed; separate them by a comma, as the "
        "first line does");
    assert_scan(
        "alone\n", AUTO,
        "invalid: log:1: one column where a user and an item are needed; add the item, or ask for the "
        "layout adjacency if this user has none");
}

static void empty_ids_are_refused(void **state)
{
    (void)state;
    const char *empty_user = "invalid: log:2: the user is empty; give its id or remove the line";
    const char *empty_item = "invalid: log:2: the item is empty; give its id or remove the line";
    assert_scan("1,2\n,4\n", AUTO, empty_user);
    assert_scan("1,2\n \t,4\n", AUTO, empty_user);
    assert_scan("1,2\n\"\",4\n", AUTO, empty_user);
    assert_scan("1\t2\n\t4\n", AUTO, empty_user);
    assert_scan("1,2\n3,\n", AUTO, empty_item);
    assert_scan("1,2\r\n3,\r\n", AUTO, empty_item);
    assert_scan("1\t2\n3\t\t5\n", AUTO, empty_item);
    assert_scan("0,5\n1,5,,6\n", ADJACENCY,
                "invalid: log:2: an item is empty; give its id or remove the separator");
}

static void bad_quotes_are_refused(void **state)
{
    (void)state;
    const char *open = "invalid: log:2: a quote is not closed on its line";
    const char *text =
        "invalid: log:2: text follows a closing quote; quotes inside a quoted column must be doubled";
    assert_scan("1,2\n\"3,4\n", AUTO, open);
    assert_scan("1,2\n3,\"4\n", AUTO, open);
    assert_scan("1,2,x\n3,4,\"a review\nof two lines\"\n", AUTO, open);
    assert_scan("1,2\n\"3\"x,4\n", AUTO, text);
    assert_scan("1,2\n3,\"4\" 5\n", AUTO, text);
    assert_scan("0,5\n1,\"5\n", ADJACENCY, open);
}

static void headers_of_columns_that_are_no_ids_are_refused(void **state)
{
    (void)state;
    const char *expected =
        "invalid: log:1: the columns of user and item are not both of type token; call them "
        "user_id:token and item_id:token, or put them first";
    assert_scan("rating:float\tmember:token\titem_id:token\n5\t1\t2\n", AUTO, expected);
    assert_scan("session_id:token\titems:token_seq\titem_id:token\n5\t1 3\t2\n", AUTO, expected);
    assert_scan("user_id:token\titem_id:float\n5\t1\n", AUTO, expected);
}

static void named_columns_are_of_pairs(void **state)
{
    (void)state;
    assert_scan(
        "rating,user_id,item_id\n5,1,2\n4,3\n", AUTO,
        "invalid: log:3: a user and an item are not both there, in the columns that the header says; add "
        "what is missing");
    assert_scan("rating,user_id,item_id\n5,,2\n", AUTO,
                "invalid: log:2: the user is empty; give its id or remove the line");
    assert_scan(
        "item_id,user_id\n1,2\n", ADJACENCY,
        "invalid: log:1: the header says where user and item are, as of pairs, but the layout asked for is "
        "adjacency");
}

static void nul_bytes_are_refused(void **state)
{
    (void)state;
    const char *message = "a NUL byte; a log is text, plain or compressed by gzip or zstd";
    char expected[128];
    strcat(strcpy(expected, "invalid: log:2: "), message);
    assert_string_equal(scan_bytes("1 2\n3\0 4\n", 9, AUTO).text, expected);
    assert_string_equal(scan_bytes("1 2\n\0", 5, AUTO).text, expected);
}

/* The bound counts the line end: a line of exactly 16 MiB with it passes, a byte more does not. */
static void lines_beyond_the_bound_are_refused(void **state)
{
    (void)state;
    size_t n_bytes = (size_t)LINE_MAX_BYTES + 16;
    char *log = malloc(n_bytes);
    memset(log, ' ', n_bytes);
    memcpy(log, "1 2\n3 4", 7);
    log[4 + LINE_MAX_BYTES - 1] = '\n';
    struct scan_result fits = scan_bytes(log, 4 + LINE_MAX_BYTES, PAIRS);
    assert_string_equal(fits.text, "1|2;3|4;");
    log[4 + LINE_MAX_BYTES - 1] = ' ';
    log[4 + LINE_MAX_BYTES] = '\n';
    assert_string_equal(scan_bytes(log, n_bytes, PAIRS).text,
                        "invalid: log:2: the line is longer than 16 MiB; split it");
    free(log);
}

static enum collide_status give_up(void *context, const char *user, size_t n_user, const char *item,
                                   size_t n_item, struct collide_error *err)
{
    (void)user, (void)n_user, (void)item, (void)n_item, (void)err;
    return ++*(int *)context == 2 ? COLLIDE_BUSY : COLLIDE_OK;
}

static void a_visitor_can_stop_the_scan(void **state)
{
    (void)state;
    int n_visits = 0;
    char path[64];
    struct log_counts counts = {.n_lines = 77};
    struct log_visitor visitor = {.visit = give_up, .context = &n_visits};
    write_temporary(path, ".txt", "1 2\n3 4\n5 6\n", 12);
    assert_int_equal(log_scan(path, AUTO, &visitor, &counts, NULL), COLLIDE_BUSY);
    assert_int_equal(n_visits, 2);
    assert_int_equal(counts.n_lines, 77);
    remove(path);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    struct collide_error err;
    struct log_visitor visitor = {.visit = give_up};
    assert_int_equal(log_scan("/nowhere/log.txt", AUTO, &visitor, NULL, &err), COLLIDE_NOT_FOUND);
    assert_string_equal(err.text, "cannot open /nowhere/log.txt: No such file or directory");
    assert_int_equal(log_scan("/tmp", AUTO, &visitor, NULL, &err), COLLIDE_IO);
    assert_string_equal(err.text, "cannot read /tmp: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_item_is_refused),
        cmocka_unit_test(empty_ids_are_refused),
        cmocka_unit_test(bad_quotes_are_refused),
        cmocka_unit_test(headers_of_columns_that_are_no_ids_are_refused),
        cmocka_unit_test(named_columns_are_of_pairs),
        cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(lines_beyond_the_bound_are_refused),
        cmocka_unit_test(a_visitor_can_stop_the_scan),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
