#include "data/click_log.h"

#include "base/buffer.h"
#include "base/error.h"
#include "data/line_reader.h"
#include "data/log_fields.h"
#include "data/log_format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_BYTES = 64, BUCKET_TEXT_BYTES = 16 };

/* Where the label, the item and the features are, in this order. */
enum { AT_LABEL, AT_ITEM, AT_FEATURES, MAX_CHOSEN = AT_FEATURES + CLICK_MAX_FEATURES };

struct scan {
    const char *name;
    const struct click_columns *columns;
    const struct click_visitor *visitor;
    enum separator separator;
    struct column_choice chosen[MAX_CHOSEN];
    size_t places[MAX_CHOSEN]; /* columns, from 0 */
    size_t n_chosen;
    struct buffer fields; /* of struct field: the line's */
    size_t n_columns;
};

static enum collide_status refuse_line(const struct scan *s, const struct line *line, const char *problem,
                                       struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID, "%s:%" PRIu64 ": %s", s->name, line->number, problem);
}

static const struct field *fields(const struct scan *s)
{
    return (const struct field *)(const void *)s->fields.bytes;
}

static enum collide_status split_line(struct scan *s, const struct line *line, size_t *n,
                                      struct collide_error *err)
{
    struct field_cursor c = fields_of(line, s->separator);
    struct field f;
    s->fields.n_bytes = 0;
    while (field_next(&c, &f)) {
        field_unquote(&f);
        buffer_append(&s->fields, &f, sizeof f);
    }
    if (c.problem)
        return refuse_line(s, line, c.problem, err);
    *n = s->fields.n_bytes / sizeof f;
    return s->fields.failed ? error_no_memory(err, "a line of the log") : COLLIDE_OK;
}

static void list_chosen(struct scan *s)
{
    s->chosen[AT_LABEL] = s->columns->label;
    s->chosen[AT_ITEM] = s->columns->item;
    for (size_t i = 0; i < s->columns->n_features; i++)
        s->chosen[AT_FEATURES + i] = s->columns->features[i].column;
    s->n_chosen = AT_FEATURES + s->columns->n_features;
}

/* The field of this name; n_columns: there is none. */
static size_t find_name(const struct scan *s, const struct column_choice *choice)
{
    for (size_t i = 0; i < s->n_columns; i++) {
        const struct field *f = &fields(s)[i];
        const char *colon = memchr(f->text, ':', f->n_bytes);
        size_t n_name = colon ? (size_t)(colon - f->text) : f->n_bytes;
        if ((f->n_bytes == choice->n_bytes && !memcmp(f->text, choice->text, choice->n_bytes)) ||
            (n_name == choice->n_bytes && !memcmp(f->text, choice->text, choice->n_bytes)))
            return i;
    }
    return s->n_columns;
}

/* By the first line, whose fields are s->fields. */
static enum collide_status find_columns(struct scan *s, const struct line *line, bool *has_header,
                                        struct collide_error *err)
{
    *has_header = false;
    for (size_t i = 0; i < s->n_chosen; i++) {
        const struct column_choice *choice = &s->chosen[i];
        size_t number = column_choice_number(choice);
        s->places[i] = number ? number - 1 : find_name(s, choice);
        *has_header |= number == 0;
        if (s->places[i] >= s->n_columns)
            return error_set(err, COLLIDE_INVALID,
                             "%s:%" PRIu64 ": there is no column %.*s among the %zu of the first line; "
                             "give a name from the header, or a number from 1",
                             s->name, line->number, (int)(choice->n_bytes < 64 ? choice->n_bytes : 64),
                             choice->text, s->n_columns);
    }
    return COLLIDE_OK;
}

/* A finite number and nothing else. */
static bool parse_number(const struct field *f, double *out)
{
    char text[NUMBER_TEXT_BYTES], *end;
    if (f->n_bytes == 0 || f->n_bytes >= sizeof text)
        return false;
    memcpy(text, f->text, f->n_bytes);
    text[f->n_bytes] = '\0';
    *out = strtod(text, &end);
    return end == text + f->n_bytes && isfinite(*out);
}

static enum collide_status read_label(const struct scan *s, const struct line *line, bool *is_click,
                                      struct collide_error *err)
{
    const struct field *f = &fields(s)[s->places[AT_LABEL]];
    double value;
    bool is_number = parse_number(f, &value);
    bool has_threshold = s->columns->has_threshold;
    if (!is_number || (!has_threshold && value != 0.0 && value != 1.0))
        return error_set(err, COLLIDE_INVALID, "%s:%" PRIu64 ": the label is \"%.*s\" where %s is needed",
                         s->name, line->number, (int)(f->n_bytes < 64 ? f->n_bytes : 64), f->text,
                         has_threshold ? "a number" : "0 or 1 (or a threshold, such as --label 'rating>=4')");
    *is_click = has_threshold ? value >= s->columns->threshold : value == 1.0;
    return COLLIDE_OK;
}

static struct click_text bucket_of(double value, char text[BUCKET_TEXT_BYTES])
{
    if (value == 0.0)
        return (struct click_text){"0", 1};
    int n = snprintf(text, BUCKET_TEXT_BYTES, "%s2^%d", value < 0.0 ? "-" : "", ilogb(value));
    return (struct click_text){text, (size_t)n};
}

static enum collide_status visit_line(const struct scan *s, const struct line *line,
                                      struct collide_error *err)
{
    struct click_text ids[CLICK_MAX_IDS];
    char buckets[CLICK_MAX_FEATURES][BUCKET_TEXT_BYTES];
    bool is_click = false;
    enum collide_status status = read_label(s, line, &is_click, err);
    for (size_t i = AT_ITEM; i < s->n_chosen && status == COLLIDE_OK; i++) {
        const struct field *f = &fields(s)[s->places[i]];
        double value;
        ids[i - AT_ITEM] = (struct click_text){f->text, f->n_bytes};
        if (i < AT_FEATURES || !s->columns->features[i - AT_FEATURES].is_log2 || f->n_bytes == 0)
            continue;
        if (!parse_number(f, &value))
            return error_set(err, COLLIDE_INVALID,
                             "%s:%" PRIu64 ": \"%.*s\" in a numeric column; remove :log2 or the line",
                             s->name, line->number, (int)(f->n_bytes < 64 ? f->n_bytes : 64), f->text);
        ids[i - AT_ITEM] = bucket_of(value, buckets[i - AT_FEATURES]);
    }
    return status == COLLIDE_OK ? s->visitor->visit(s->visitor->context, is_click, ids, err) : status;
}

static enum collide_status scan_first_line(struct scan *s, const struct line *line, struct collide_error *err)
{
    bool has_header;
    double label;
    s->separator = separator_of(line);
    enum collide_status status = split_line(s, line, &s->n_columns, err);
    if (status == COLLIDE_OK)
        status = find_columns(s, line, &has_header, err);
    if (status != COLLIDE_OK || has_header || !parse_number(&fields(s)[s->places[AT_LABEL]], &label))
        return status;
    return visit_line(s, line, err);
}

static enum collide_status scan_line(struct scan *s, const struct line *line, struct collide_error *err)
{
    size_t n;
    if (s->n_columns == 0)
        return scan_first_line(s, line, err);
    enum collide_status status = split_line(s, line, &n, err);
    if (status != COLLIDE_OK)
        return status;
    if (n != s->n_columns)
        return error_set(err, COLLIDE_INVALID,
                         "%s:%" PRIu64 ": %zu columns where the first line has %zu; give missing values as "
                         "empty columns between tabs or commas",
                         s->name, line->number, n, s->n_columns);
    return visit_line(s, line, err);
}

enum collide_status click_log_scan_stream(struct byte_stream *stream, const struct click_columns *columns,
                                          const struct click_visitor *visitor, struct collide_error *err)
{
    struct scan s = {.name = byte_stream_name(stream), .columns = columns, .visitor = visitor};
    struct line_reader reader;
    struct line line;
    enum collide_status status;
    list_chosen(&s);
    line_reader_init(&reader, stream);
    while ((status = line_reader_next(&reader, &line, err)) == COLLIDE_OK && line.text)
        if (log_line_is_data(&line) && (status = scan_line(&s, &line, err)) != COLLIDE_OK)
            break;
    line_reader_free(&reader);
    buffer_free(&s.fields);
    return status;
}

enum collide_status click_log_scan(const char *path, const struct click_columns *columns,
                                   const struct click_visitor *visitor, struct collide_error *err)
{
    struct byte_stream *stream;
    enum collide_status status = byte_stream_open(path, &stream, err);
    if (status != COLLIDE_OK)
        return status;
    status = click_log_scan_stream(stream, columns, visitor, err);
    byte_stream_close(stream);
    return status;
}
