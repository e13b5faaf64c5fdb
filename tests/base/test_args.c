#include "base/args.h"
#include "base/spelling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One option of each type, as a subcommand would declare them. */
struct options {
    bool quiet, fast;
    const char *out;
    struct arg_text_list logs;
    uint64_t rows;
    struct arg_u64_list threads;
    double rate;
    int mode;
    struct args args; /* as the last parse left it */
    struct args_positionals positionals;
    struct collide_error err;
};

enum { N_ARGS = 8 };

static const char *const modes[] = {"closed", "open", NULL};

static struct options defaults(void)
{
    return (struct options){.rows = 100,
                            .rate = 0.5,
                            .threads = {{1, 2}, 2},
                            .positionals = {.min = 0, .max = 2, .names = "LOG [MODEL]"}};
}

static enum args_outcome parse(struct options *o, int argc, const char **argv)
{
    static struct arg table[N_ARGS];
    const struct arg fresh[N_ARGS] = {
        {.name = "quiet", .short_name = 'q', .type = ARG_FLAG, .target = &o->quiet, .help = "say nothing"},
        {.name = "fast", .short_name = 'f', .type = ARG_FLAG, .target = &o->fast},
        {.name = "out", .short_name = 'o', .type = ARG_TEXT, .target = &o->out, .value_name = "FILE"},
        {.name = "log", .type = ARG_TEXT_LIST, .target = &o->logs},
        {.name = "rows",
         .short_name = 'r',
         .type = ARG_U64,
         .target = &o->rows,
         .min = 1,
         .max = 4096,
         .group = "Model",
         .help = "rows of the table"},
        {.name = "threads", .type = ARG_U64_LIST, .target = &o->threads, .min = 1},
        {.name = "rate", .type = ARG_DOUBLE, .target = &o->rate, .low = 0, .high = 1, .group = "Model"},
        {.name = "mode", .type = ARG_CHOICE, .target = &o->mode, .choices = modes},
    };
    memcpy(table, fresh, sizeof fresh);
    o->args = (struct args){.table = table, .n = N_ARGS};
    return args_parse(&o->args, argc, (char **)(uintptr_t)argv, &o->positionals, &o->err);
}

#define PARSE(o, ...)                                                                                        \
    parse((o), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]){__VA_ARGS__})

static void assert_refused_with(enum args_outcome outcome, const struct options *o, const char *text)
{
    assert_int_equal(outcome, ARGS_BAD);
    assert_int_equal(o->err.status, COLLIDE_INVALID);
    assert_string_equal(o->err.text, text);
}

static void absent_options_keep_their_defaults(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_int_equal(parse(&o, 0, (const char *[]){NULL}), ARGS_OK);
    assert_int_equal(o.rows, 100);
    assert_int_equal(o.threads.n, 2);
    assert_int_equal(o.positionals.n, 0);
}

static void every_type_is_read_in_both_forms(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_int_equal(PARSE(&o, "--quiet", "--out", "a", "--log=x", "--log", "y", "--rows=7", "--threads",
                           "3,4,5", "--rate=.25", "--mode", "open"),
                     ARGS_OK);
    assert_true(o.quiet);
    assert_string_equal(o.out, "a");
    assert_int_equal(o.logs.n, 2);
    assert_string_equal(o.logs.items[1], "y");
    assert_int_equal(o.rows, 7);
    assert_int_equal(o.threads.n, 3);
    assert_int_equal(o.threads.items[2], 5);
    assert_true(o.rate == 0.25);
    assert_int_equal(o.mode, 1);
}

static void short_options_take_values_and_cluster(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_int_equal(PARSE(&o, "-qfr12", "-o", "-"), ARGS_OK);
    assert_true(o.quiet && o.fast);
    assert_int_equal(o.rows, 12);
    assert_string_equal(o.out, "-");
}

static void flags_can_be_switched_off(void **state)
{
    (void)state;
    struct options o = defaults();
    o.quiet = true;
    assert_int_equal(PARSE(&o, "--quiet=no", "--fast=on"), ARGS_OK);
    assert_false(o.quiet);
    assert_true(o.fast);
    assert_refused_with(PARSE(&o, "--quiet=1"), &o, "--quiet: '1' is neither yes nor no");
}

static void positionals_may_stand_anywhere(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_int_equal(PARSE(&o, "a.log", "--rows", "9", "--", "--model"), ARGS_OK);
    assert_int_equal(o.rows, 9);
    assert_int_equal(o.positionals.n, 2);
    assert_string_equal(o.positionals.values[0], "a.log");
    assert_string_equal(o.positionals.values[1], "--model");
}

static void wrong_numbers_of_positionals_are_refused(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_refused_with(PARSE(&o, "a", "b", "c"), &o, "unexpected argument 'c': expected LOG [MODEL]");
    o.positionals.min = 1;
    assert_refused_with(PARSE(&o, "-q"), &o, "too few arguments: expected LOG [MODEL]");
}

static void help_touches_nothing(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_int_equal(PARSE(&o, "--rows", "9", "--nonsense", "--help"), ARGS_HELP);
    assert_int_equal(o.rows, 100);
    assert_int_equal(PARSE(&o, "-h"), ARGS_HELP);
    assert_int_equal(PARSE(&o, "--", "-h"), ARGS_OK);
}

static void unknown_options_name_the_closest(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_refused_with(PARSE(&o, "--row", "1"), &o, "unknown option --row; did you mean --rows?");
    assert_refused_with(PARSE(&o, "--moed=open"), &o, "unknown option --moed; did you mean --mode?");
    assert_refused_with(PARSE(&o, "--zzz"), &o, "unknown option --zzz; --help lists them");
    assert_refused_with(PARSE(&o, "-qx"), &o, "unknown option -x in -qx; --help lists them");
}

static void bad_values_are_refused_with_the_range(void **state)
{
    (void)state;
    struct options o = defaults();
    const char *bad_rows[] = {"0", "4097", "-1", "12x", "", " 7", "0x10", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
        char text[64], wanted[128];
        snprintf(text, sizeof text, "--rows=%s", bad_rows[i]);
        snprintf(wanted, sizeof wanted, "--rows: '%s' is not a whole number from 1 to 4096", bad_rows[i]);
        assert_refused_with(PARSE(&o, text), &o, wanted);
    }
    assert_refused_with(PARSE(&o, "--rate=1.5"), &o, "--rate: '1.5' is not a number from 0 to 1");
    assert_refused_with(PARSE(&o, "--rate", "nan"), &o, "--rate: 'nan' is not a number from 0 to 1");
    assert_refused_with(PARSE(&o, "--rate=0.5s"), &o, "--rate: '0.5s' is not a number from 0 to 1");
    assert_refused_with(PARSE(&o, "--mode=half"), &o, "--mode: 'half' is not one of closed|open");
    assert_refused_with(PARSE(&o, "--threads=1,,2"), &o, "--threads: '' is not a whole number of at least 1");
    assert_int_equal(o.rows, 100);
    assert_int_equal(o.threads.items[0], 1);
}

static void missing_values_are_refused(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_refused_with(PARSE(&o, "--rows"), &o, "--rows needs a value");
    assert_refused_with(PARSE(&o, "--out", "--quiet"), &o,
                        "--out needs a value; write --out=--quiet if that is meant");
    assert_int_equal(PARSE(&o, "--out=--quiet"), ARGS_OK);
    assert_string_equal(o.out, "--quiet");
}

static void the_largest_u64_is_read_exactly(void **state)
{
    (void)state;
    uint64_t value = 0;
    struct collide_error err;
    const struct arg any = {.name = "any", .type = ARG_U64, .target = &value};
    struct args args = {.table = &any, .n = 1};
    assert_int_equal(args_set(&args, "any", "18446744073709551615", &err), COLLIDE_OK);
    assert_true(value == UINT64_MAX);
    assert_int_equal(args_set(&args, "any", "18446744073709551616", &err), COLLIDE_INVALID);
    assert_int_equal(args_set(&args, "nay", "1", &err), COLLIDE_INVALID);
    assert_string_equal(err.text, "unknown option --nay; did you mean --any?");
}

static void what_was_given_is_known_even_at_its_default(void **state)
{
    (void)state;
    struct options o = defaults();
    const char *const none[] = {"log", "quiet", NULL}, *const some[] = {"quiet", "rows", "out", NULL};
    assert_int_equal(PARSE(&o, "--rows=100", "-o", "x"), ARGS_OK);
    assert_null(args_first_given(&o.args, none));
    assert_string_equal(args_first_given(&o.args, some), "rows");
}

static void the_command_line_wins_over_a_file(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_int_equal(PARSE(&o, "--rows=7", "--log=a", "-q"), ARGS_OK);
    assert_int_equal(args_set(&o.args, "rows", "8", &o.err), COLLIDE_OK);
    assert_int_equal(args_set(&o.args, "log", "b", &o.err), COLLIDE_OK);
    assert_int_equal(args_set(&o.args, "quiet", "no", &o.err), COLLIDE_OK);
    assert_int_equal(args_set(&o.args, "rate", "0.75", &o.err), COLLIDE_OK);
    assert_int_equal(o.rows, 7);
    assert_int_equal(o.logs.n, 1);
    assert_true(o.quiet);
    assert_true(o.rate == 0.75);
    assert_int_equal(args_set(&o.args, "rows", "none", &o.err), COLLIDE_INVALID);
    assert_string_equal(o.err.text, "--rows: 'none' is not a whole number from 1 to 4096");
}

static void more_list_entries_than_fit_are_refused(void **state)
{
    (void)state;
    struct options o = defaults();
    char text[4 * ARG_LIST_MAX] = "--threads=1";
    for (int i = 0; i < ARG_LIST_MAX; i++)
        strcat(text, ",1");
    assert_refused_with(PARSE(&o, text), &o, "--threads: more than 64 numbers");
    o.logs.n = ARG_LIST_MAX;
    assert_refused_with(PARSE(&o, "--log=x"), &o, "--log may be given 64 times at most");
}

static void help_shows_groups_defaults_and_wraps(void **state)
{
    (void)state;
    struct options o = defaults();
    parse(&o, 0, (const char *[]){NULL});
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    args_print_help(
        out, "collide test [options] LOG [MODEL]",
        "A summary that is much longer than one line of the terminal can hold, so that it has to be "
        "wrapped somewhere before its end.",
        &o.args);
    fclose(out);
    assert_non_null(strstr(text, "Usage: collide test [options] LOG [MODEL]\n"));
    assert_non_null(strstr(text, "\nModel:\n  -r, --rows N            rows of the table (default: 100)\n"));
    assert_non_null(strstr(text, "      --threads N,N...    (default: 1,2)\n"));
    assert_non_null(strstr(text, "      --mode closed|open  (default: closed)\n"));
    assert_non_null(strstr(text, "  -h, --help "));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 100);
    free(text);
}

/* What roff would take for requests or escapes, and a shell for words, is kept from them. */
static void help_has_further_forms(void **state)
{
    (void)state;
    struct options o = defaults();
    assert_int_equal(PARSE(&o, "--help=man"), ARGS_HELP);
    struct arg table[] = {
        {.name = "a-b", .short_name = 'a', .type = ARG_TEXT, .target = &o.out, .value_name = "F\\"},
        {.name = "mode", .type = ARG_CHOICE, .target = &o.mode, .choices = modes, .group = "More \"of\" it"},
    };
    table[0].help = ".TH is no request - here";
    const struct {
        enum help_form form;
        const char *wanted;
    } forms[] = {
        {HELP_MAN, ".SH SYNOPSIS\n\\fBp do\\fR FILE\n.SH DESCRIPTION\n\\&'What' it does\n.SH OPTIONS\n"
                   ".SS \"Options\"\n.TP\n\\fB\\-a\\fR, \\fB\\-\\-a\\-b\\fR \\fIF\\e\\fR\n"
                   "\\&.TH is no request \\- here\n.SS \"More \\(dqof\\(dq it\"\n.TP\n"
                   "\\fB\\-\\-mode\\fR \\fIclosed|open\\fR\n (default: closed)\n"
                   ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint this and exit\n"},
        {HELP_WORDS, "    case $2 in\n    -a|--a-b) echo \"_files\" ;;\n    --mode) echo \"closed open\" ;;\n"
                     "    *) echo \"--a-b --mode --help\" ;;\n    esac ;;\n"},
        {HELP_PAGES, ""},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct args args = {.table = table, .n = 2, .help_form = forms[i].form};
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        args_print_help(out, "p do FILE", "'What' it does", &args);
        fclose(out);
        assert_string_equal(text, forms[i].wanted);
        free(text);
    }
}

static void spelling_distance_counts_slips(void **state)
{
    (void)state;
    assert_int_equal(spelling_distance("rows", "rows"), 0);
    assert_int_equal(spelling_distance("row", "rows"), 1);
    assert_int_equal(spelling_distance("rwos", "rows"), 1);
    assert_int_equal(spelling_distance("kitten", "sitting"), 3);
    assert_int_equal(spelling_distance("", "abc"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_options_keep_their_defaults),
        cmocka_unit_test(every_type_is_read_in_both_forms),
        cmocka_unit_test(short_options_take_values_and_cluster),
        cmocka_unit_test(flags_can_be_switched_off),
        cmocka_unit_test(positionals_may_stand_anywhere),
        cmocka_unit_test(wrong_numbers_of_positionals_are_refused),
        cmocka_unit_test(help_touches_nothing),
        cmocka_unit_test(unknown_options_name_the_closest),
        cmocka_unit_test(bad_values_are_refused_with_the_range),
        cmocka_unit_test(missing_values_are_refused),
        cmocka_unit_test(the_largest_u64_is_read_exactly),
        cmocka_unit_test(what_was_given_is_known_even_at_its_default),
        cmocka_unit_test(the_command_line_wins_over_a_file),
        cmocka_unit_test(more_list_entries_than_fit_are_refused),
        cmocka_unit_test(help_shows_groups_defaults_and_wraps),
        cmocka_unit_test(help_has_further_forms),
        cmocka_unit_test(spelling_distance_counts_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
