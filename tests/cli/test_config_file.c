#include "cli/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One option of each type. */
struct options {
    bool quiet;
    const char *out;
    struct arg_text_list logs;
    uint64_t rows;
    struct arg_u64_list cpus;
    double rate;
    int mode;
    struct arg table[7];
    struct args args;
    struct args_positionals positionals;
    struct config_values values;
    struct collide_error err;
};

static const char *const modes[] = {"closed", "open", NULL};

static struct options *make_options(void)
{
    struct options *o = calloc(1, sizeof *o);
    assert_non_null(o);
    o->rows = 100;
    o->rate = 0.5;
    const struct arg table[] = {
        {.name = "quiet", .short_name = 'q', .type = ARG_FLAG, .target = &o->quiet},
        {.name = "out", .type = ARG_TEXT, .target = &o->out},
        {.name = "log", .type = ARG_TEXT_LIST, .target = &o->logs},
        {.name = "rows", .type = ARG_U64, .target = &o->rows, .max = 4096, .group = "Model (its size)"},
        {.name = "cpus", .type = ARG_U64_LIST, .target = &o->cpus, .group = "Limits"},
        {.name = "rate", .type = ARG_DOUBLE, .target = &o->rate, .group = "Limits"},
        {.name = "mode", .type = ARG_CHOICE, .target = &o->mode, .choices = modes, .group = "Limits"},
    };
    memcpy(o->table, table, sizeof table);
    o->args = (struct args){.table = o->table, .n = sizeof table / sizeof table[0]};
    return o;
}

static enum collide_status read_text(struct options *o, const char *text)
{
    const struct config_source source = {"x.ini", text, strlen(text)};
    return config_parse(&source, "test", &o->args, &o->values, &o->err);
}

static void assert_refused(const char *text, const char *message)
{
    struct options *o = make_options();
    assert_int_equal(read_text(o, text), COLLIDE_INVALID);
    assert_string_equal(o->err.text, message);
    free(o);
}

static void assert_same_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_string_equal(a, b);
}

static void assert_same(const struct options *a, const struct options *b)
{
    assert_int_equal(a->quiet, b->quiet);
    assert_same_text(a->out, b->out);
    assert_int_equal(a->logs.n, b->logs.n);
    for (size_t i = 0; i < a->logs.n; i++)
        assert_string_equal(a->logs.items[i], b->logs.items[i]);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->cpus.n, b->cpus.n);
    assert_memory_equal(a->cpus.items, b->cpus.items, a->cpus.n * sizeof a->cpus.items[0]);
    assert_memory_equal(&a->rate, &b->rate, sizeof a->rate);
    assert_int_equal(a->mode, b->mode);
}

/* Values good and bad, each as --name=value and as a line of a file: the same comes of both. */
static void every_type_is_read_as_from_the_command_line(void **state)
{
    (void)state;
    static const char *const names[] = {"quiet", "out", "log", "rows", "cpus", "rate", "mode", "rwos"};
    static const char *const values[] = {"yes",  "no",   "off",  "a b",    "",     "7",
                                         "4096", "4097", "-1",   "1,2,3",  "1,,2", "0.25",
                                         "1e3",  "nan",  "open", "clsoed", "a=b",  "--x"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            struct options *from_command = make_options(), *from_file = make_options();
            char flag[64], line[64], wanted[600];
            snprintf(flag, sizeof flag, "--%s=%s", names[i], values[j]);
            snprintf(line, sizeof line, "%s = %s\n", names[i], values[j]);
            enum args_outcome outcome = args_parse(&from_command->args, 1, (char *[]){flag},
                                                   &from_command->positionals, &from_command->err);
            enum collide_status status = read_text(from_file, line);
            assert_int_equal(outcome == ARGS_OK, status == COLLIDE_OK);
            assert_same(from_command, from_file);
            snprintf(wanted, sizeof wanted, "x.ini, line 1: %s", from_command->err.text);
            if (status != COLLIDE_OK)
                assert_string_equal(from_file->err.text, wanted);
            free(from_file);
            free(from_command);
        }
    }
}

static void a_whole_file_is_read(void **state)
{
    (void)state;
    struct options *o = make_options();
    assert_int_equal(read_text(o,
                               "\xef\xbb\xbf# comment\r\nlog = a\n\n[test]\n  log = b ; more\n\tquiet: yes\n"
                               "[model]\n; comment\nrows=9\n[LIMITS]\n  mode = open\n  cpus = 3,4"),
                     COLLIDE_OK);
    assert_int_equal(o->logs.n, 2);
    assert_string_equal(o->logs.items[0], "a");
    assert_string_equal(o->logs.items[1], "b");
    assert_true(o->quiet);
    assert_int_equal(o->rows, 9);
    assert_int_equal(o->mode, 1);
    assert_int_equal(o->cpus.n, 2);
    free(o);
}

static void what_the_command_line_has_given_stays(void **state)
{
    (void)state;
    struct options *o = make_options();
    char *argv[] = {(char[]){"--rows=7"}, (char[]){"--log=x"}};
    assert_int_equal(args_parse(&o->args, 2, argv, &o->positionals, &o->err), ARGS_OK);
    assert_int_equal(read_text(o, "rows = 8\nlog = a\nlog = b\nrate = 2\n"), COLLIDE_OK);
    assert_int_equal(o->rows, 7);
    assert_int_equal(o->logs.n, 1);
    assert_string_equal(o->logs.items[0], "x");
    assert_true(o->rate == 2);
    assert_int_equal(read_text(o, "rows = many\n"), COLLIDE_INVALID);
    free(o);
}

static void refusals_name_the_line_and_the_remedy(void **state)
{
    (void)state;
    assert_refused("\nrow = 1\n", "x.ini, line 2: unknown option --row; did you mean --rows?");
    assert_refused("[test]\nrows = x\n", "x.ini, line 2: --rows: 'x' is not a whole number from 0 to 4096");
    assert_refused("rows = 1\nrows = 2\n",
                   "x.ini, line 2: rows is there a second time; leave one of them out");
    assert_refused("quiet\n", "x.ini, line 1: neither `key = value` nor [heading]; flags are `key = yes`");
    assert_refused("[test\nrows = 1\n",
                   "x.ini, line 1: neither `key = value` nor [heading]; flags are `key = yes`");
    assert_refused("[modle]\nrows = 1\n", "x.ini, line 2: there is no [modle]; did you mean [model]?");
    assert_refused("[zzz]\nrows = 1\n",
                   "x.ini, line 2: there is no [zzz]; write [test], or a heading of its --help");
}

static void what_is_no_text_or_too_long_is_refused(void **state)
{
    (void)state;
    struct options *o = make_options();
    const struct config_source binary = {"x.ini", "rows = 1\nout = \0\n", 17};
    assert_int_equal(config_parse(&binary, "test", &o->args, &o->values, &o->err), COLLIDE_INVALID);
    assert_string_equal(o->err.text, "x.ini, line 2: this is no text file");

    static char text[CONFIG_BYTES_MAX];
    memset(text, 'a', sizeof text);
    const struct config_source line = {"x.ini", text, 1000}, whole = {"x.ini", text, sizeof text};
    assert_int_equal(config_parse(&line, "test", &o->args, &o->values, &o->err), COLLIDE_INVALID);
    assert_string_equal(o->err.text, "x.ini, line 1: the line is too long");
    assert_int_equal(config_parse(&whole, "test", &o->args, &o->values, &o->err), COLLIDE_INVALID);
    assert_string_equal(o->err.text, "x.ini: a configuration file has less than 32768 bytes");
    free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_as_from_the_command_line),
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(what_the_command_line_has_given_stays),
        cmocka_unit_test(refusals_name_the_line_and_the_remedy),
        cmocka_unit_test(what_is_no_text_or_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
