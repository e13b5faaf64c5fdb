#include "plot/plot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct plot_point points[] = {{1e3, 1}, {1e4, 5}, {1e5, 10}};
static const struct plot_series series[] = {{"a<b", 0, PLOT_SOLID, points, 3},
                                            {"other", 3, PLOT_DASHED, points, 2}};
static const struct plot plot = {.description = "Much & more",
                                 .x = {"bytes", SCALE_LOG, UNIT_BYTES, 1e3, 1e5},
                                 .y = {"recall", SCALE_LINEAR, UNIT_PERCENT, 0, 10},
                                 .series = series,
                                 .n_series = 2};

static char *printed_file(void)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    plot_print_file(out, &plot);
    fclose(out);
    return text;
}

static void a_file_of_its_own_needs_nothing_else(void **state)
{
    (void)state;
    char *text = printed_file();
    static const char *const wanted[] = {"<svg xmlns=\"http://www.w3.org/2000/svg\"",
                                         "<title>Much &amp; more</title>",
                                         "prefers-color-scheme:dark",
                                         ">a&lt;b</text>",
                                         ">10 kB</text>",
                                         ">4%</text>",
                                         "class=\"ground\"",
                                         "</svg>\n"};
    static const char *const unwanted[] = {"var(", "url(", "href", "@import", "<script", "nan", "inf"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!strstr(text, wanted[i]))
            fail_msg("the plot lacks %s", wanted[i]);
    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
        if (strstr(text, unwanted[i]))
            fail_msg("the plot has %s", unwanted[i]);
    free(text);
}

/* Of a wide plot's 760 x 400 the lines have 64 to 640 and 348 to 28: a log axis has its middle decade
 * halfway. */
static void points_are_where_their_values_are(void **state)
{
    (void)state;
    char *text = printed_file();
    assert_non_null(strstr(text, "points=\"64.0,316.0 352.0,188.0 640.0,28.0 \""));
    assert_non_null(strstr(text, "class=\"series s3 dashed\" points=\"64.0,316.0 352.0,188.0 \""));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_its_own_needs_nothing_else),
        cmocka_unit_test(points_are_where_their_values_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
