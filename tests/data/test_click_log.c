#include "data/click_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "1 item|feature|feature;" for every line, or the message. */
struct seen {
    char text[1024];
    size_t n_ids;
};

static enum collide_status see(void *context, bool is_click, const struct click_text *ids,
                               struct collide_error *err)
{
    (void)err;
    struct seen *seen = context;
    size_t n = strlen(seen->text);
    n += (size_t)sprintf(seen->text + n, "%d ", is_click);
    for (size_t i = 0; i < seen->n_ids; i++)
        n += (size_t)sprintf(seen->text + n, "%s%.*s", i ? "|" : "", (int)ids[i].n_bytes, ids[i].text);
    strcpy(seen->text + n, ";");
    return COLLIDE_OK;
}

static const char *scan(const char *log, const char *label, const char *item, const char *features)
{
    static struct seen seen;
    struct collide_error err = {0};
    struct click_columns columns;
    struct byte_stream *stream;
    const struct click_choices choices = {label, item, features};
    seen = (struct seen){.n_ids = 0};
    if (click_columns_parse(&choices, &columns, &err) != COLLIDE_OK)
        return strcpy(seen.text, err.text);
    seen.n_ids = 1 + columns.n_features;
    assert_int_equal(byte_stream_open_memory("log", log, strlen(log), &stream, NULL), COLLIDE_OK);
    const struct click_visitor visitor = {see, &seen};
    enum collide_status status = click_log_scan_stream(stream, &columns, &visitor, &err);
    byte_stream_close(stream);
    return status == COLLIDE_OK ? seen.text : strcpy(seen.text, err.text);
}

static void columns_are_found_by_name(void **state)
{
    (void)state;
    assert_string_equal(scan("id,click,ad,site\n7,1,a,x\n8,0,b,\"y, z\"\n", "click", "ad", "site"),
                        "1 a|x;0 b|y, z;");
}

static void names_of_typed_headers_stand_before_the_colon(void **state)
{
    (void)state;
    const char *log = "user_id:token\titem_id:token\trating:float\n5\t7\t4\n5\t8\t3.5\n6\t7\t5\n";
    assert_string_equal(scan(log, "rating>=4", "item_id", "user_id"), "1 7|5;0 8|5;1 7|6;");
    assert_string_equal(scan(log, "rating:float>=4", "item_id:token", "user_id:token"), "1 7|5;0 8|5;1 7|6;");
}

static void numbers_find_columns_with_and_without_a_header(void **state)
{
    (void)state;
    assert_string_equal(scan("1\ta\tx\n0\tb\ty\n", "1", "2", "3"), "1 a|x;0 b|y;");
    assert_string_equal(scan("label,ad,site\n1,a,x\n", "1", "2", "3"), "1 a|x;");
    assert_string_equal(scan("1,a,x\n", "1", "3", "c2=2"), "1 x|a;");
}

static void missing_values_are_empty_ids(void **state)
{
    (void)state;
    assert_string_equal(scan("1,,x,\n0,b,,\n", "1", "2", "3,4:log2"), "1 |x|;0 b||;");
    assert_string_equal(scan("1\t\tx\t\n", "1", "2", "3,4"), "1 |x|;");
}

static void numeric_columns_become_powers_of_two(void **state)
{
    (void)state;
    assert_string_equal(
        scan("1,a,0\n1,a,1\n1,a,3\n1,a,4\n1,a,-5\n1,a,0.3\n1,a,1e3\n1,a,-0\n", "1", "2", "3:log2"),
        "1 a|0;1 a|2^0;1 a|2^1;1 a|2^2;1 a|-2^2;1 a|2^-2;1 a|2^9;1 a|0;");
}

static void the_user_comes_first(void **state)
{
    (void)state;
    const struct click_choices choices = {"y", "i", "site,UserID,age:log2,a-b,old=3"};
    struct click_columns c;
    assert_int_equal(click_columns_parse(&choices, &c, NULL), COLLIDE_OK);
    const char *names[] = {"user", "site", "age", "a_b", "old"};
    assert_int_equal(c.n_features, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(c.features[i].name, names[i]);
    assert_true(c.features[2].is_log2 && !c.features[1].is_log2);
}

static void blank_lines_and_comments_are_passed_over(void **state)
{
    (void)state;
    assert_string_equal(
        scan("# made by hand\n\nclick,ad,site\n1,a,x\n  \n#1,b,x\n0,b,y", "click", "ad", "site"),
        "1 a|x;0 b|y;");
}

static void wrong_labels_are_refused(void **state)
{
    (void)state;
    assert_string_equal(
        scan("y,i,u\n1,a,x\n2,a,x\n", "y", "i", "u"),
        "log:3: the label is \"2\" where 0 or 1 (or a threshold, such as --label 'rating>=4') "
        "is needed");
    assert_string_equal(scan("y,i,u\n,a,x\n", "y>=1", "i", "u"),
                        "log:2: the label is \"\" where a number is needed");
    assert_string_equal(scan("1,a,x\nnan,a,x\n", "1>=1", "2", "3"),
                        "log:2: the label is \"nan\" where a number is needed");
}

static void wrong_lines_are_refused(void **state)
{
    (void)state;
    assert_string_equal(scan("1,a,x\n0,b\n", "1", "2", "3"),
                        "log:2: 2 columns where the first line has 3; give missing values as empty columns "
                        "between tabs or commas");
    assert_string_equal(scan("1,a,7\n0,b,many\n", "1", "2", "3:log2"),
                        "log:2: \"many\" in a numeric column; remove :log2 or the line");
    assert_string_equal(scan("1,a,x\n0,\"b,x\n", "1", "2", "3"), "log:2: a quote is not closed on its line");
    assert_string_equal(scan("\n1,a\n", "1", "2", "3"),
                        "log:2: there is no column 3 among the 2 of the first line; give a name from the "
                        "header, or a number from 1");
    assert_string_equal(scan("y,i\n1,a\n", "y", "i", "u"),
                        "log:1: there is no column u among the 2 of the first line; give a name from the "
                        "header, or a number from 1");
}

/* "1,2,...,LAST", with something in front. */
static const char *columns_to(int last, const char *front, char *out)
{
    char *at = out + sprintf(out, "%s1", front);
    for (int i = 2; i <= last; i++)
        at += sprintf(at, ",%d", i);
    return out;
}

static void wrong_choices_are_refused(void **state)
{
    (void)state;
    assert_string_equal(scan("", "y>=", "i", "u"),
                        "the label \"y>=\" has no number behind >=; give one such as rating>=4");
    assert_string_equal(scan("", ">=3", "i", "u"), "the label \">=3\" names no column");
    assert_string_equal(scan("", "y", "", "u"), "the item's column has no name");
    assert_string_equal(scan("", "y", "i", "u,,v"),
                        "a feature without a column; give names or numbers of columns with single commas "
                        "between");
    assert_string_equal(scan("", "y", "i", "u,u"),
                        "two features are called u; name one of them anew: NAME=COLUMN");
    assert_string_equal(scan("", "y", "i", "item=3"),
                        "a feature cannot be called item; rename it: NAME=COLUMN");
    assert_string_equal(scan("", "y", "i", "a b=3"),
                        "\"a b\" is no name for a feature: give 1 to 32 letters, digits and underscores");
    char features[512];
    assert_string_equal(scan("", "y", "i", columns_to(65, "", features)),
                        "more than 64 features besides the user");
    assert_string_equal(scan("", "y", "i", columns_to(65, "user=9,", features)), "more than 65 features");
}

static enum collide_status stop(void *context, bool is_click, const struct click_text *ids,
                                struct collide_error *err)
{
    (void)is_click, (void)ids, (void)err;
    return ++*(int *)context == 2 ? COLLIDE_BUSY : COLLIDE_OK;
}

static void a_visitor_can_stop_the_scan(void **state)
{
    (void)state;
    int n_visits = 0;
    static const char log[] = "1,a,x\n1,a,x\n1,a,x\n";
    const struct click_choices choices = {"1", "2", "3"};
    const struct click_visitor visitor = {stop, &n_visits};
    struct click_columns columns;
    struct byte_stream *stream;
    assert_int_equal(click_columns_parse(&choices, &columns, NULL), COLLIDE_OK);
    assert_int_equal(byte_stream_open_memory("log", log, sizeof log - 1, &stream, NULL), COLLIDE_OK);
    assert_int_equal(click_log_scan_stream(stream, &columns, &visitor, NULL), COLLIDE_BUSY);
    assert_int_equal(n_visits, 2);
    byte_stream_close(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(names_of_typed_headers_stand_before_the_colon),
        cmocka_unit_test(numbers_find_columns_with_and_without_a_header),
        cmocka_unit_test(missing_values_are_empty_ids),
        cmocka_unit_test(numeric_columns_become_powers_of_two),
        cmocka_unit_test(the_user_comes_first),
        cmocka_unit_test(blank_lines_and_comments_are_passed_over),
        cmocka_unit_test(wrong_labels_are_refused),
        cmocka_unit_test(wrong_lines_are_refused),
        cmocka_unit_test(wrong_choices_are_refused),
        cmocka_unit_test(a_visitor_can_stop_the_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
