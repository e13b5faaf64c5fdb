#include "metrics_check.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_CHARS = 1024, MAX_SERIES = 20000 };

struct family {
    char name[128], type[16];
    bool has_help;
};

/* The buckets of the series that is being read. */
struct bucket_run {
    char labels[LINE_CHARS]; /* without le */
    double le, n, n_in_all;  /* n_in_all: of +Inf; NaN before */
    bool has_sum;
};

struct reader {
    struct family family;
    struct bucket_run run;
    char *series[MAX_SERIES], *families[MAX_SERIES]; /* seen; owned */
    size_t n_series, n_families;
};

struct sample {
    char name[128], labels[LINE_CHARS], series[LINE_CHARS]; /* labels: without le */
    double le, value;                                       /* le: NaN: none */
};

static bool is_name(const char *text, size_t n)
{
    bool is = n > 0 && !isdigit((unsigned char)text[0]);
    for (size_t i = 0; i < n; i++)
        is = is && (isalnum((unsigned char)text[i]) || text[i] == '_' || text[i] == ':');
    return is;
}

static void remember(char **seen, size_t *n, const char *text, const char *line)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(seen[i], text) == 0)
            fail_msg("twice: %s", line);
    assert_true(*n < MAX_SERIES);
    seen[(*n)++] = strdup(text);
}

/* From behind the quote to behind the next that is not escaped. */
static const char *skip_value(const char *at, const char *line)
{
    for (; *at && *at != '"'; at++)
        if (*at == '\\' && !strchr("\\\"n", *++at))
            fail_msg("a wrong escape: %s", line);
    if (*at != '"')
        fail_msg("a value without an end: %s", line);
    return at + 1;
}

static const char *read_labels(const char *at, struct sample *s, const char *line)
{
    while (*at != '}') {
        const char *begin = at, *equals = strchr(at, '=');
        if (!equals || !is_name(at, (size_t)(equals - at)) || equals[1] != '"')
            fail_msg("no label: %s", line);
        at = skip_value(equals + 2, line);
        if (strncmp(begin, "le=", 3) == 0)
            s->le = strtod(begin + 4, NULL);
        else
            strncat(s->labels, begin, (size_t)(at - begin));
        if (*at == ',')
            at++;
        else if (*at != '}')
            fail_msg("no end of labels: %s", line);
    }
    return at + 1;
}

static void read_sample(const char *line, struct sample *s)
{
    char *end;
    size_t n = strcspn(line, "{ ");
    *s = (struct sample){.le = NAN};
    if (!is_name(line, n) || n >= sizeof s->name)
        fail_msg("no name: %s", line);
    memcpy(s->name, line, n);
    const char *at = line[n] == '{' ? read_labels(line + n + 1, s, line) : line + n;
    memcpy(s->series, line, (size_t)(at - line));
    if (*at != ' ')
        fail_msg("no value: %s", line);
    s->value = strtod(at + 1, &end);
    if (end == at + 1 || *end != '\0')
        fail_msg("no number: %s", line);
}

static void end_run(struct reader *r)
{
    if (r->run.labels[0] != '\0' && (isnan(r->run.n_in_all) || !r->run.has_sum))
        fail_msg("a histogram without a sum or +Inf: %s %s", r->family.name, r->run.labels);
    r->run = (struct bucket_run){.le = -INFINITY, .n_in_all = NAN};
}

static void take_bucket(struct bucket_run *run, const struct sample *s, const char *line)
{
    if (isnan(s->le) || s->le <= run->le || s->value < run->n)
        fail_msg("not cumulative: %s", line);
    run->le = s->le;
    run->n = s->value;
    if (isinf(s->le))
        run->n_in_all = s->value;
}

/* A histogram's series comes as its buckets, its sum, its count. */
static void take_histogram(struct reader *r, const struct sample *s, const char *line)
{
    const char *suffix = s->name + strlen(r->family.name);
    char labels[LINE_CHARS + 1];
    snprintf(labels, sizeof labels, "{%s", s->labels); /* not empty */
    if (strcmp(r->run.labels, labels) != 0) {
        end_run(r);
        memcpy(r->run.labels, labels, sizeof r->run.labels);
    }
    if (strcmp(suffix, "_bucket") == 0)
        take_bucket(&r->run, s, line);
    else if (strcmp(suffix, "_sum") == 0)
        r->run.has_sum = true;
    else if (strcmp(suffix, "_count") != 0 || s->value != r->run.n_in_all)
        fail_msg("no count of all: %s", line);
}

static void take_sample(struct reader *r, const char *line)
{
    struct sample s;
    const struct family *f = &r->family;
    read_sample(line, &s);
    remember(r->series, &r->n_series, s.series, line);
    bool is_histogram = strcmp(f->type, "histogram") == 0;
    if (is_histogram ? strncmp(s.name, f->name, strlen(f->name)) != 0 : strcmp(s.name, f->name) != 0)
        fail_msg("not of family %s: %s", f->name, line);
    if (f->type[0] == '\0')
        fail_msg("no type before: %s", line);
    if (is_histogram)
        take_histogram(r, &s, line);
    size_t n = strlen(f->name);
    if (strcmp(f->type, "counter") == 0 && (n < 6 || strcmp(f->name + n - 6, "_total") != 0 || s.value < 0))
        fail_msg("no counter: %s", line);
}

static void take_comment(struct reader *r, const char *line)
{
    struct family f = {.has_help = true};
    if (strncmp(line, "# HELP ", 7) == 0) {
        end_run(r);
        assert_int_equal(sscanf(line, "# HELP %127s", f.name), 1);
        remember(r->families, &r->n_families, f.name, line);
        r->family = f;
        return;
    }
    if (sscanf(line, "# TYPE %127s %15s", f.name, f.type) != 2 || strcmp(f.name, r->family.name) != 0)
        fail_msg("no type of %s: %s", r->family.name, line);
    if (strcmp(f.type, "counter") && strcmp(f.type, "gauge") && strcmp(f.type, "histogram"))
        fail_msg("no such type: %s", line);
    r->family = f;
}

void check_metrics(const char *text, size_t n_bytes)
{
    struct reader *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->run = (struct bucket_run){.le = -INFINITY, .n_in_all = NAN};
    assert_true(n_bytes > 0 && text[n_bytes - 1] == '\n');
    for (size_t at = 0; at < n_bytes;) {
        char line[LINE_CHARS];
        size_t n = (size_t)((const char *)memchr(text + at, '\n', n_bytes - at) - text) - at;
        assert_true(n > 0 && n < sizeof line);
        memcpy(line, text + at, n);
        line[n] = '\0';
        at += n + 1;
        if (line[0] == '#')
            take_comment(r, line);
        else
            take_sample(r, line);
    }
    end_run(r);
    for (size_t i = 0; i < r->n_series; i++)
        free(r->series[i]);
    for (size_t i = 0; i < r->n_families; i++)
        free(r->families[i]);
    free(r);
}

double metric(const char *text, size_t n_bytes, const char *series)
{
    size_t n = strlen(series);
    for (size_t at = 0; at + n < n_bytes; at++)
        if ((at == 0 || text[at - 1] == '\n') && memcmp(text + at, series, n) == 0 && text[at + n] == ' ')
            return strtod(text + at + n + 1, NULL);
    fail_msg("%s is not there", series);
    return NAN;
}
