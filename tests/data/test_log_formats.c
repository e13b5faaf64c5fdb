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

static void blanks_separate_pairs(void **state)
{
    (void)state;
    assert_scan("1 2\n3 4\n", AUTO, "1|2;3|4;");
    assert_scan("  1   2 \n 3 \t 4  \n", PAIRS, "1|2;3|4;");
}

static void tabs_and_commas_leave_blanks_inside_columns(void **state)
{
    (void)state;
    assert_scan("ann lee\tblue shoe\n", AUTO, "ann lee|blue shoe;");
    assert_scan("ann lee,blue shoe\n", AUTO, "ann lee|blue shoe;");
    assert_scan("1, 2 \n 3 ,4\n", AUTO, "1|2;3|4;");
    assert_scan("1\t 2 \n3\t4,5\n", AUTO, "1|2;3|4,5;");
}

static void further_columns_of_pairs_are_ignored(void **state)
{
    (void)state;
    assert_scan("1\t2\t5\t99\n1\t3\n", AUTO, "1|2;1|3;");
    assert_scan("1,2,5,\n3,4,,x\n", AUTO, "1|2;3|4;");
    assert_scan("1 2 5\n1 3 4 77\n", PAIRS, "1|2;1|3;");
}

static void commas_may_be_quoted(void **state)
{
    (void)state;
    assert_scan("\"a,b\",\"say \"\"hi\"\"\"\n", AUTO, "a,b|say \"hi\";");
    assert_scan("\"\"\"\",x\n", AUTO, "\"|x;");
    assert_scan("1,2,\"a, b\"\n3,4,\"\"\n", AUTO, "1|2;3|4;");
    assert_scan(" \"1\" , \" 2\"\n", AUTO, "1| 2;");
    assert_scan("5\" pipe,6\" pipe\n", AUTO, "5\" pipe|6\" pipe;");
}

static void quotes_mean_nothing_between_tabs_or_blanks(void **state)
{
    (void)state;
    assert_scan("\"a\t\"b\n", AUTO, "\"a|\"b;");
    assert_scan("\"a \"b\n", AUTO, "\"a|\"b;");
}

static void any_line_end_will_do(void **state)
{
    (void)state;
    assert_scan("1 2\r\n3 4\r\n", AUTO, "1|2;3|4;");
    assert_scan("1,2\r\n3,4\r\n", AUTO, "1|2;3|4;");
    assert_scan("1,\"2\"\r\n3,4", AUTO, "1|2;3|4;");
    assert_scan("1\t2\n3\t4", AUTO, "1|2;3|4;");
    assert_scan("1 2\r", AUTO, "1|2;");
}

static void a_byte_order_mark_is_no_part_of_the_first_id(void **state)
{
    (void)state;
    assert_scan("\xef\xbb\xbf"
                "1 2\n3 4\n",
                AUTO, "1|2;3|4;");
    assert_scan("\xef\xbb\xbf", AUTO, "");
    assert_scan("\xef\xbb\xbfuser,item\n3,4\n", AUTO, "3|4;");
}

static void comments_and_empty_lines_are_passed_over(void **state)
{
    (void)state;
    struct scan_result r = scan_text("# made by hand\n\n1 2\n   \n\r\n#3 4\n5 6\n\n", AUTO);
    assert_string_equal(r.text, "1|2;5|6;");
    assert_int_equal(r.counts.n_lines, 8);
    assert_int_equal(r.counts.n_interactions, 2);
}

static void an_empty_log_has_no_interactions(void **state)
{
    (void)state;
    const char *const logs[] = {"", "\n\n", "# nothing\n", "user item\n", "user_id:token\titem_id:token\n"};
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        struct scan_result r = scan_text(logs[i], AUTO);
        assert_int_equal(r.status, COLLIDE_OK);
        assert_int_equal(r.counts.n_interactions, 0);
    }
}

static void typed_headers_are_passed_over(void **state)
{
    (void)state;
    assert_scan("user_id:token\titem_id:token\trating:float\n196\t242\t3\n", AUTO, "196|242;");
    assert_scan("user_id:token\titem_id:token\nann\tshoe\n", AUTO, "ann|shoe;");
    assert_scan("user_id:token item_id:token time:float\n1 2 3\n", AUTO, "1|2;");
}

static void named_headers_are_passed_over(void **state)
{
    (void)state;
    assert_scan("user,item\nann,shoe\n", AUTO, "ann|shoe;");
    assert_scan("# log\nuser_id,item_id,rating\nann,shoe,5\n", AUTO, "ann|shoe;");
    assert_scan("UserId,\"ItemID\"\nann,shoe\n", AUTO, "ann|shoe;");
    assert_scan("user item rating\n1 2 5\n3 4 5\n", AUTO, "1|2;3|4;");
}

static void headers_say_where_user_and_item_are(void **state)
{
    (void)state;
    assert_scan("user_id,rating,item_id\n1,5,2\n3,4,4\n", AUTO, "1|2;3|4;");
    assert_scan("timestamp,User_ID,ItemId,x\n99,\"a \"\"b\"\"\",shoe,1\n", AUTO, "a \"b\"|shoe;");
    assert_scan("item_id:token\tuser_id:token\n7\t1\n", AUTO, "1|7;");
    assert_scan("rating:float\tuser_id:token\titem_id:token\n5\t1\t2\n", AUTO, "1|2;");
    assert_scan("time item user\n9 2 1\n", AUTO, "1|2;");
    assert_scan("item_id,user_id\nshoe,ann\n", PAIRS, "ann|shoe;");
}

static void words_over_integers_are_a_header(void **state)
{
    (void)state;
    assert_scan("reader,book\n1,2\n", AUTO, "1|2;");
    assert_scan("reader,book\nann,2\n", AUTO, "reader|book;ann|2;");
    assert_scan("reader,7\n1,2\n", AUTO, "reader|7;1|2;");
    assert_scan("reader,book\n", AUTO, "reader|book;");
    assert_scan("user_1,item_1\nuser_2,item_2\n", AUTO, "user_1|item_1;user_2|item_2;");
    assert_scan("a:b,c:d\ne:f,g:h\n", AUTO, "a:b|c:d;e:f|g:h;");
}

static void ids_keep_their_spelling(void **state)
{
    (void)state;
    assert_scan("007 7\n18446744073709551615 -1\n", AUTO, "007|7;18446744073709551615|-1;");
    assert_scan("\xc3\xa9va,caf\xc3\xa9\n", AUTO, "\xc3\xa9va|caf\xc3\xa9;");
}

static enum collide_status count_only(void *context, const char *user, size_t n_user, const char *item,
                                      size_t n_item, struct collide_error *err)
{
    (void)user, (void)n_user, (void)item, (void)n_item, (void)err;
    ++*(uint64_t *)context;
    return COLLIDE_OK;
}

/* A line of 8 MiB, which the reader's buffer must grow for several times, after and before short ones. */
static void lines_of_megabytes_are_read_whole(void **state)
{
    (void)state;
    enum { N_ITEMS = 1 << 21 };
    char path[64];
    char *log = malloc(4 * N_ITEMS + 64);
    char *at = log;
    at += strlen(strcpy(at, "0 1\n1"));
    for (int i = 0; i < N_ITEMS; i++)
        at += strlen(strcpy(at, " 123"));
    at += strlen(strcpy(at, "\n2 3 4\n"));
    write_temporary(path, ".txt", log, (size_t)(at - log));
    uint64_t n_seen = 0;
    struct log_visitor visitor = {.visit = count_only, .context = &n_seen};
    struct log_counts counts;
    assert_int_equal(log_scan(path, ADJACENCY, &visitor, &counts, NULL), COLLIDE_OK);
    assert_int_equal(n_seen, N_ITEMS + 3);
    assert_int_equal(counts.n_interactions, N_ITEMS + 3);
    assert_int_equal(counts.n_lines, 3);
    remove(path);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_separate_pairs),
        cmocka_unit_test(tabs_and_commas_leave_blanks_inside_columns),
        cmocka_unit_test(further_columns_of_pairs_are_ignored),
        cmocka_unit_test(commas_may_be_quoted),
        cmocka_unit_test(quotes_mean_nothing_between_tabs_or_blanks),
        cmocka_unit_test(any_line_end_will_do),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_first_id),
        cmocka_unit_test(comments_and_empty_lines_are_passed_over),
        cmocka_unit_test(an_empty_log_has_no_interactions),
        cmocka_unit_test(typed_headers_are_passed_over),
        cmocka_unit_test(named_headers_are_passed_over),
        cmocka_unit_test(headers_say_where_user_and_item_are),
        cmocka_unit_test(words_over_integers_are_a_header),
        cmocka_unit_test(ids_keep_their_spelling),
        cmocka_unit_test(lines_of_megabytes_are_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
