/* Command lines (and configuration files) driven by a table: each option is data, and its target holds the
 * default before parsing and the value after it.
 *
 *     uint64_t rows = 1000;
 *     bool quiet = false;
 *     const struct arg table[] = {
 *         {.name = "rows", .short_name = 'r', .type = ARG_U64, .target = &rows, .min = 1,
 *          .help = "table rows"},
 *         {.name = "quiet", .type = ARG_FLAG, .target = &quiet, .help = "say nothing"},
 *     };
 *
 * Nothing is allocated: texts are borrowed from argv (or whatever args_set was given) and must outlive the
 * targets' use. */
#ifndef BASE_ARGS_H
#define BASE_ARGS_H

#include "base/help_form.h"
#include "collide/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    ARG_LIST_MAX = 64,
    ARGS_MAX = 128, /* options of a table */
};

struct arg_text_list {
    const char *items[ARG_LIST_MAX];
    size_t n;
};

struct arg_u64_list {
    uint64_t items[ARG_LIST_MAX];
    size_t n;
};

enum arg_type {
    ARG_FLAG,      /* bool: --name, or --name=yes|no|true|false|on|off */
    ARG_TEXT,      /* const char * */
    ARG_TEXT_LIST, /* struct arg_text_list: each use appends one text */
    ARG_U64,       /* uint64_t */
    ARG_U64_LIST,  /* struct arg_u64_list: numbers with commas between; each use replaces the list */
    ARG_DOUBLE,    /* double, finite */
    ARG_CHOICE,    /* int (or an enum of its size): the index of one of `choices` */
};

struct arg {
    const char *name; /* without dashes */
    char short_name;  /* 0: none; -h is taken */
    enum arg_type type;
    void *target;               /* as the type says */
    const char *const *choices; /* ARG_CHOICE: NULL-terminated */
    uint64_t min, max;          /* ARG_U64, ARG_U64_LIST: inclusive; max 0: no upper limit */
    double low, high;           /* ARG_DOUBLE: inclusive; both 0: no limits */
    const char *value_name;     /* what help calls the value; NULL: N, X, TEXT or the choices */
    const char *default_text;   /* what help calls the default; NULL: the target's value; "": nothing */
    const char *group;          /* help's heading; NULL: "Options" */
    const char *help;
};

/* Where an option has its value from. */
enum arg_source { ARG_BY_DEFAULT, ARG_FROM_FILE, ARG_FROM_COMMAND };

/* A command's options, and which of them have been given. */
struct args {
    const struct arg *table;           /* (n), borrowed */
    size_t n;                          /* up to ARGS_MAX */
    enum arg_source sources[ARGS_MAX]; /* (n), set by parsing */
    enum help_form help_form;          /* set by ARGS_HELP */
};

/* The arguments that are no options. values points into argv, whose front they are moved to. */
struct args_positionals {
    size_t min, max;   /* how many are allowed */
    const char *names; /* for messages, such as "LOG MODEL"; NULL if max is 0 */
    char **values;     /* (n), set by args_parse */
    size_t n;          /* set by args_parse */
};

enum args_outcome {
    ARGS_OK,
    ARGS_HELP, /* --help or -h is among the arguments: no target was touched; print help and exit 0 */
    ARGS_BAD,  /* err (COLLIDE_INVALID) says why; some targets may have been set */
};

/* Parses argc arguments (the program's and subcommand's names not among them): --name VALUE, --name=VALUE,
 * -n VALUE, -nVALUE, flags run together as -ab, and positionals anywhere; after `--` everything is
 * positional, and so is `-`. A value that starts with "--" needs the = form. */
enum args_outcome args_parse(struct args *args, int argc, char **argv, struct args_positionals *positionals,
                             struct collide_error *err);

/* Sets one option by name as --name=value would, once the command line is parsed; for configuration files.
 * What the command line has given stays: then the value is only checked. */
enum collide_status args_set(struct args *args, const char *name, const char *value,
                             struct collide_error *err);

/* The option of this name, or NULL. */
const struct arg *args_find(const struct args *args, const char *name);

/* The first of these options (NULL-terminated names) that was given, or NULL. */
const char *args_first_given(const struct args *args, const char *const *names);

/* The names of an ARG_CHOICE, "a|b|c", cut to capacity. */
void arg_choices_text(const struct arg *arg, char *out, size_t capacity);

/* In the form that was asked for; as text that is "Usage: <usage>", the summary, and the options by group,
 * aligned and wrapped at 100 columns. */
void args_print_help(FILE *out, const char *usage, const char *summary, const struct args *args);

/* The heading that help shows an option below. */
const char *arg_group(const struct arg *arg);

#endif
