#include "base/args.h"

#include "base/error.h"
#include "base/spelling.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct arg *find_long(const struct args *args, const char *name, size_t length)
{
    for (size_t i = 0; i < args->n; i++)
        if (strlen(args->table[i].name) == length && memcmp(args->table[i].name, name, length) == 0)
            return &args->table[i];
    return NULL;
}

static const struct arg *find_short(const struct args *args, char letter)
{
    for (size_t i = 0; i < args->n; i++)
        if (args->table[i].short_name == letter)
            return &args->table[i];
    return NULL;
}

const struct arg *args_find(const struct args *args, const char *name)
{
    return find_long(args, name, strlen(name));
}

static enum arg_source *source_of(struct args *args, const struct arg *arg)
{
    return &args->sources[arg - args->table];
}

const char *args_first_given(const struct args *args, const char *const *names)
{
    for (; *names; names++) {
        const struct arg *arg = args_find(args, *names);
        if (arg && args->sources[arg - args->table] != ARG_BY_DEFAULT)
            return *names;
    }
    return NULL;
}

static enum collide_status unknown_option(const struct args *args, const char *name, size_t length,
                                          struct collide_error *err)
{
    char typed[64];
    snprintf(typed, sizeof typed, "%.*s", (int)(length < sizeof typed ? length : sizeof typed - 1), name);
    struct spelling meant = spelling_of(typed);
    for (size_t i = 0; i < args->n; i++)
        spelling_offer(&meant, args->table[i].name);
    if (meant.closest)
        return error_set(err, COLLIDE_INVALID, "unknown option --%s; did you mean --%s?", typed,
                         meant.closest);
    return error_set(err, COLLIDE_INVALID, "unknown option --%s; --help lists them", typed);
}

static enum collide_status set_flag(const struct arg *arg, const char *value, struct collide_error *err)
{
    static const char *const yes[] = {"yes", "true", "on"}, *const no[] = {"no", "false", "off"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
            *(bool *)arg->target = strcmp(value, yes[i]) == 0;
            return COLLIDE_OK;
        }
    }
    return error_set(err, COLLIDE_INVALID, "--%s: '%s' is neither yes nor no", arg->name, value);
}

static enum collide_status append_text(const struct arg *arg, const char *value, struct collide_error *err)
{
    struct arg_text_list *list = arg->target;
    if (list->n == ARG_LIST_MAX)
        return error_set(err, COLLIDE_INVALID, "--%s may be given %d times at most", arg->name, ARG_LIST_MAX);
    list->items[list->n++] = value;
    return COLLIDE_OK;
}

/* Reads the digits of [text, end), which must be all of it. */
static enum collide_status parse_u64(const struct arg *arg, const char *text, const char *end, uint64_t *out,
                                     struct collide_error *err)
{
    uint64_t max = arg->max ? arg->max : UINT64_MAX;
    uint64_t value = 0;
    bool good = text < end;
    for (const char *at = text; good && at < end; at++)
        good = *at >= '0' && *at <= '9' && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, (uint64_t)(*at - '0'), &value);
    if (good && value >= arg->min && value <= max) {
        *out = value;
        return COLLIDE_OK;
    }
    int shown = end - text < 64 ? (int)(end - text) : 64;
    if (max == UINT64_MAX)
        return error_set(err, COLLIDE_INVALID, "--%s: '%.*s' is not a whole number of at least %" PRIu64,
                         arg->name, shown, text, arg->min);
    return error_set(err, COLLIDE_INVALID, "--%s: '%.*s' is not a whole number from %" PRIu64 " to %" PRIu64,
                     arg->name, shown, text, arg->min, max);
}

static enum collide_status set_u64_list(const struct arg *arg, const char *value, struct collide_error *err)
{
    struct arg_u64_list list = {.n = 0};
    for (const char *at = value;; at++) {
        const char *end = at + strcspn(at, ",");
        if (list.n == ARG_LIST_MAX)
            return error_set(err, COLLIDE_INVALID, "--%s: more than %d numbers", arg->name, ARG_LIST_MAX);
        enum collide_status status = parse_u64(arg, at, end, &list.items[list.n++], err);
        if (status != COLLIDE_OK)
            return status;
        at = end;
        if (!*at)
            break;
    }
    *(struct arg_u64_list *)arg->target = list;
    return COLLIDE_OK;
}

static enum collide_status set_double(const struct arg *arg, const char *text, struct collide_error *err)
{
    char *end = NULL;
    double value = strtod(text, &end);
    bool is_number = *text && strchr("+-.0123456789", *text) && *end == '\0' && isfinite(value);
    bool has_range = arg->low != 0.0 || arg->high != 0.0;
    if (is_number && (!has_range || (value >= arg->low && value <= arg->high))) {
        *(double *)arg->target = value;
        return COLLIDE_OK;
    }
    if (has_range)
        return error_set(err, COLLIDE_INVALID, "--%s: '%s' is not a number from %g to %g", arg->name, text,
                         arg->low, arg->high);
    return error_set(err, COLLIDE_INVALID, "--%s: '%s' is not a number", arg->name, text);
}

void arg_choices_text(const struct arg *arg, char *out, size_t capacity)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; arg->choices[i] && used < capacity; i++)
        used += (size_t)snprintf(out + used, capacity - used, "%s%s", i ? "|" : "", arg->choices[i]);
}

static enum collide_status set_choice(const struct arg *arg, const char *value, struct collide_error *err)
{
    for (int i = 0; arg->choices[i]; i++) {
        if (strcmp(arg->choices[i], value) == 0) {
            *(int *)arg->target = i;
            return COLLIDE_OK;
        }
    }
    char all[256];
    arg_choices_text(arg, all, sizeof all);
    return error_set(err, COLLIDE_INVALID, "--%s: '%s' is not one of %s", arg->name, value, all);
}

static enum collide_status set_value(const struct arg *arg, const char *value, struct collide_error *err)
{
    switch (arg->type) {
    case ARG_FLAG:
        return set_flag(arg, value, err);
    case ARG_TEXT:
        *(const char **)arg->target = value;
        return COLLIDE_OK;
    case ARG_TEXT_LIST:
        return append_text(arg, value, err);
    case ARG_U64:
        return parse_u64(arg, value, value + strlen(value), arg->target, err);
    case ARG_U64_LIST:
        return set_u64_list(arg, value, err);
    case ARG_DOUBLE:
        return set_double(arg, value, err);
    case ARG_CHOICE:
        return set_choice(arg, value, err);
    }
    return error_set(err, COLLIDE_INVALID, "--%s: its table entry has no type", arg->name);
}

/* Whether the option would take the value: into a target that nobody reads. */
static enum collide_status check_value(const struct arg *arg, const char *value, struct collide_error *err)
{
    union {
        bool flag;
        const char *text;
        struct arg_text_list texts;
        uint64_t number;
        struct arg_u64_list numbers;
        double real;
        int choice;
    } nowhere = {.texts.n = 0};
    struct arg trial = *arg;
    trial.target = &nowhere;
    return set_value(&trial, value, err);
}

enum collide_status args_set(struct args *args, const char *name, const char *value,
                             struct collide_error *err)
{
    const struct arg *arg = args_find(args, name);
    if (!arg)
        return unknown_option(args, name, strlen(name), err);
    if (*source_of(args, arg) == ARG_FROM_COMMAND)
        return check_value(arg, value, err);
    *source_of(args, arg) = ARG_FROM_FILE;
    return set_value(arg, value, err);
}

/* The arguments still to be read. */
struct reader {
    char **argv;
    int argc;
    int next;
};

/* A flag stands alone; anything else takes the next argument. */
static enum collide_status set_from_next(const struct arg *arg, struct reader *in, struct collide_error *err)
{
    if (arg->type == ARG_FLAG) {
        *(bool *)arg->target = true;
        return COLLIDE_OK;
    }
    if (in->next == in->argc)
        return error_set(err, COLLIDE_INVALID, "--%s needs a value", arg->name);
    const char *value = in->argv[in->next];
    if (strncmp(value, "--", 2) == 0)
        return error_set(err, COLLIDE_INVALID, "--%s needs a value; write --%s=%s if that is meant",
                         arg->name, arg->name, value);
    in->next++;
    return set_value(arg, value, err);
}

static enum collide_status parse_long(struct args *args, const char *text, struct reader *in,
                                      struct collide_error *err)
{
    size_t length = strcspn(text, "=");
    const struct arg *arg = find_long(args, text, length);
    if (!arg)
        return unknown_option(args, text, length, err);
    *source_of(args, arg) = ARG_FROM_COMMAND;
    return text[length] ? set_value(arg, text + length + 1, err) : set_from_next(arg, in, err);
}

static enum collide_status parse_short(struct args *args, const char *letters, struct reader *in,
                                       struct collide_error *err)
{
    for (const char *at = letters; *at; at++) {
        const struct arg *arg = find_short(args, *at);
        if (!arg)
            return error_set(err, COLLIDE_INVALID, "unknown option -%c in -%s; --help lists them", *at,
                             letters);
        *source_of(args, arg) = ARG_FROM_COMMAND;
        if (arg->type != ARG_FLAG && at[1])
            return set_value(arg, at + 1, err);
        enum collide_status status = set_from_next(arg, in, err);
        if (status != COLLIDE_OK || arg->type != ARG_FLAG)
            return status;
    }
    return COLLIDE_OK;
}

static bool asks_for_help(int argc, char **argv, enum help_form *form)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (help_form_of(argv[i], form))
            return true;
    return false;
}

static enum collide_status check_positionals(const struct args_positionals *p, struct collide_error *err)
{
    const char *names = p->names ? p->names : "no arguments";
    if (p->n < p->min)
        return error_set(err, COLLIDE_INVALID, "too few arguments: expected %s", names);
    if (p->n > p->max)
        return error_set(err, COLLIDE_INVALID, "unexpected argument '%s': expected %s", p->values[p->max],
                         names);
    return COLLIDE_OK;
}

enum args_outcome args_parse(struct args *args, int argc, char **argv, struct args_positionals *positionals,
                             struct collide_error *err)
{
    assert(args->n <= ARGS_MAX);
    if (asks_for_help(argc, argv, &args->help_form))
        return ARGS_HELP;
    positionals->values = argv;
    positionals->n = 0;
    struct reader in = {.argv = argv, .argc = argc};
    bool options_ended = false;
    while (in.next < argc) {
        char *text = argv[in.next++];
        enum collide_status status = COLLIDE_OK;
        if (options_ended || text[0] != '-' || text[1] == '\0')
            argv[positionals->n++] = text;
        else if (strcmp(text, "--") == 0)
            options_ended = true;
        else if (text[1] == '-')
            status = parse_long(args, text + 2, &in, err);
        else
            status = parse_short(args, text + 1, &in, err);
        if (status != COLLIDE_OK)
            return ARGS_BAD;
    }
    return check_positionals(positionals, err) == COLLIDE_OK ? ARGS_OK : ARGS_BAD;
}
