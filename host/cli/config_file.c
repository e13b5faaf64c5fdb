#include "cli/config_file.h"

#include "base/error.h"
#include "base/spelling.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <string.h>

enum { HEADING_MAX = 64 };

/* A parse under way: libinih asks for lines, and gives back what they say. */
struct parse {
    const struct config_source *source;
    const char *command;
    struct args *args;
    struct config_values *values;
    struct collide_error *err;
    size_t at; /* the next line's first byte */
    int line;
    enum collide_status status; /* the first failure's */
};

static enum collide_status fail(struct parse *p, int line, const char *message)
{
    p->status = error_set(p->err, COLLIDE_INVALID, "%s, line %d: %s", p->source->name, line, message);
    return p->status;
}

/* Like fgets, but for blanks before a line: libinih would take it for more of the value above it. */
static char *next_line(char *out, int capacity, void *context)
{
    struct parse *p = context;
    if (p->status != COLLIDE_OK || p->at == p->source->n_bytes)
        return NULL;
    const char *start = p->source->text + p->at, *end = p->source->text + p->source->n_bytes;
    const char *newline = memchr(start, '\n', (size_t)(end - start));
    end = newline ? newline : end;
    p->at = (size_t)(end - p->source->text) + (newline != NULL);
    p->line++;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    size_t n = (size_t)(end - start);
    if (n >= (size_t)capacity || memchr(start, '\0', n)) {
        fail(p, p->line, n >= (size_t)capacity ? "the line is too long" : "this is no text file");
        return NULL;
    }
    memcpy(out, start, n);
    out[n] = '\0';
    return out;
}

static void lower(const char *text, size_t n, char out[HEADING_MAX])
{
    snprintf(out, HEADING_MAX, "%.*s", (int)n, text);
    for (; *out; out++)
        *out = (char)tolower((unsigned char)*out);
}

/* A group's name without what help says of it in brackets. */
static void heading_of(const struct arg *arg, char out[HEADING_MAX])
{
    const char *group = arg_group(arg), *bracket = strstr(group, " (");
    lower(group, bracket ? (size_t)(bracket - group) : strlen(group), out);
}

static bool check_section(struct parse *p, const char *section)
{
    char typed[HEADING_MAX], groups[ARGS_MAX][HEADING_MAX], message[256];
    lower(section, strlen(section), typed);
    if (!*typed || strcmp(typed, p->command) == 0)
        return true;
    struct spelling meant = spelling_of(typed);
    spelling_offer(&meant, p->command);
    for (size_t i = 0; i < p->args->n; i++) {
        heading_of(&p->args->table[i], groups[i]);
        if (strcmp(typed, groups[i]) == 0)
            return true;
        spelling_offer(&meant, groups[i]);
    }
    if (meant.closest)
        snprintf(message, sizeof message, "there is no [%s]; did you mean [%s]?", section, meant.closest);
    else
        snprintf(message, sizeof message, "there is no [%s]; write [%s], or a heading of its --help", section,
                 p->command);
    fail(p, p->line, message);
    return false;
}

static bool is_repeated(const struct args *args, const char *name)
{
    const struct arg *arg = args_find(args, name);
    return arg && arg->type != ARG_TEXT_LIST && args->sources[arg - args->table] == ARG_FROM_FILE;
}

static int take(void *context, const char *section, const char *name, const char *value)
{
    struct parse *p = context;
    struct collide_error why;
    if (!check_section(p, section))
        return 0;
    if (is_repeated(p->args, name)) {
        error_set(&why, COLLIDE_INVALID, "%s is there a second time; leave one of them out", name);
        return fail(p, p->line, why.text) == COLLIDE_OK;
    }
    size_t n = strlen(value) + 1; /* it fits: its line is as long at least */
    char *kept = memcpy(p->values->bytes + p->values->n_bytes, value, n);
    p->values->n_bytes += n;
    if (args_set(p->args, name, kept, &why) != COLLIDE_OK)
        fail(p, p->line, why.text);
    return p->status == COLLIDE_OK;
}

enum collide_status config_parse(const struct config_source *source, const char *command, struct args *args,
                                 struct config_values *values, struct collide_error *err)
{
    struct parse p = {.source = source,
                      .command = command,
                      .args = args,
                      .values = values,
                      .err = err,
                      .status = COLLIDE_OK};
    values->n_bytes = 0;
    if (source->n_bytes >= CONFIG_BYTES_MAX)
        return error_set(err, COLLIDE_INVALID, "%s: a configuration file has less than %d bytes",
                         source->name, CONFIG_BYTES_MAX);
    int wrong_line = ini_parse_stream(next_line, &p, take, &p);
    if (p.status == COLLIDE_OK && wrong_line)
        fail(&p, wrong_line, "neither `key = value` nor [heading]; flags are `key = yes`");
    return p.status;
}

enum collide_status config_read(const char *path, const char *command, struct args *args,
                                struct config_values *values, struct collide_error *err)
{
    char text[CONFIG_BYTES_MAX];
    FILE *in = fopen(path, "re");
    if (!in)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot open %s", path);
    const struct config_source source = {path, text, fread(text, 1, sizeof text, in)};
    int failed = ferror(in) ? errno : 0;
    fclose(in);
    if (failed)
        return error_set_errno(err, COLLIDE_IO, failed, "cannot read %s", path);
    return config_parse(&source, command, args, values, err);
}
