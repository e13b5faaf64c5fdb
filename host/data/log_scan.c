#include "data/log_scan.h"

#include "base/error.h"
#include "data/line_reader.h"
#include "data/log_fields.h"
#include "data/log_format.h"

#include <inttypes.h>

struct scan {
    const char *name;
    struct log_format format;
    const struct log_visitor *visitor;
    uint64_t n_interactions;
};

static enum collide_status refuse_line(const struct scan *s, const struct line *line, const char *problem,
                                       struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID, "%s:%" PRIu64 ": %s", s->name, line->number, problem);
}

static const char *problem_of_missing_item(const struct scan *s)
{
    if (s->format.user_column > 1 || s->format.item_column > 1)
        return "a user and an item are not both there, in the columns that the header says; add what is "
               "missing";
    switch (s->format.separator) {
    case SEPARATOR_TAB:
        return "one column where a user and an item are needed; separate them by a tab, as the first line "
               "does";
    case SEPARATOR_COMMA:
        return "one column where a user and an item are needed; separate them by a comma, as the first line "
               "does";
    case SEPARATOR_BLANKS:
        break;
    }
    return "one column where a user and an item are needed; add the item, or ask for the layout adjacency if "
           "this "
           "user has none";
}

static enum collide_status visit(struct scan *s, const struct field *user, struct field *item,
                                 struct collide_error *err)
{
    field_unquote(item);
    s->n_interactions++;
    return s->visitor->visit(s->visitor->context, user->text, user->n_bytes, item->text, item->n_bytes, err);
}

/* The two ids of a line of pairs; further columns up to the later of them are passed over. */
static enum collide_status read_pair(const struct scan *s, const struct line *line, struct field_cursor *c,
                                     struct field *user, struct field *item, struct collide_error *err)
{
    const struct log_format *f = &s->format;
    const unsigned last = f->user_column > f->item_column ? f->user_column : f->item_column;
    for (unsigned column = 0; column <= last; column++) {
        struct field field;
        if (!field_next(c, &field))
            return refuse_line(s, line, c->problem ? c->problem : problem_of_missing_item(s), err);
        if (column == f->user_column && field.n_bytes == 0)
            return refuse_line(s, line, "the user is empty; give its id or remove the line", err);
        if (column == f->item_column && field.n_bytes == 0)
            return refuse_line(s, line, "the item is empty; give its id or remove the line", err);
        if (column == f->user_column)
            *user = field;
        if (column == f->item_column)
            *item = field;
    }
    return COLLIDE_OK;
}

static enum collide_status scan_pair(struct scan *s, const struct line *line, struct collide_error *err)
{
    struct field_cursor c = fields_of(line, s->format.separator);
    struct field user = {0}, item = {0}, further;
    enum collide_status status = read_pair(s, line, &c, &user, &item, err);
    if (status != COLLIDE_OK)
        return status;
    bool has_further = field_next(&c, &further);
    if (has_further && s->format.is_guess)
        return refuse_line(
            s, line,
            "more than two columns, unlike the first lines, which leaves the layout in doubt; ask "
            "for pairs or adjacency",
            err);
    while (has_further && s->format.separator == SEPARATOR_COMMA)
        has_further = field_next(&c, &further);
    if (c.problem)
        return refuse_line(s, line, c.problem, err);
    field_unquote(&user);
    return visit(s, &user, &item, err);
}

static enum collide_status scan_adjacency(struct scan *s, const struct line *line, struct collide_error *err)
{
    struct field_cursor c = fields_of(line, s->format.separator);
    struct field user, item;
    if (!field_next(&c, &user))
        return refuse_line(s, line, c.problem, err);
    if (user.n_bytes == 0)
        return refuse_line(s, line, "the user is empty; give its id or remove the line", err);
    field_unquote(&user);
    while (field_next(&c, &item)) {
        if (item.n_bytes == 0)
            return refuse_line(s, line, "an item is empty; give its id or remove the separator", err);
        enum collide_status status = visit(s, &user, &item, err);
        if (status != COLLIDE_OK)
            return status;
    }
    return c.problem ? refuse_line(s, line, c.problem, err) : COLLIDE_OK;
}

static enum collide_status scan_line(struct scan *s, const struct line *line, struct collide_error *err)
{
    return s->format.layout == LOG_LAYOUT_PAIRS ? scan_pair(s, line, err) : scan_adjacency(s, line, err);
}

/* The lines that the format was judged by come first. */
static enum collide_status scan_lines(struct scan *s, const struct log_sample *sample,
                                      struct line_reader *reader, struct collide_error *err)
{
    for (unsigned i = s->format.has_header; i < sample->n_lines; i++) {
        enum collide_status status = scan_line(s, &sample->lines[i], err);
        if (status != COLLIDE_OK)
            return status;
    }
    for (;;) {
        struct line line;
        enum collide_status status = line_reader_next(reader, &line, err);
        if (status != COLLIDE_OK || !line.text)
            return status;
        if (log_line_is_data(&line) && (status = scan_line(s, &line, err)) != COLLIDE_OK)
            return status;
    }
}

enum collide_status log_scan_stream(struct byte_stream *stream, enum log_layout layout,
                                    const struct log_visitor *visitor, struct log_counts *counts,
                                    struct collide_error *err)
{
    struct scan scan = {.name = byte_stream_name(stream), .visitor = visitor};
    struct log_sample sample = {0};
    struct line_reader reader;
    line_reader_init(&reader, stream);
    enum collide_status status = log_sample_read(&sample, &reader, err);
    if (status == COLLIDE_OK)
        status = log_format_detect(&sample, scan.name, layout, &scan.format, err);
    if (status == COLLIDE_OK)
        status = scan_lines(&scan, &sample, &reader, err);
    if (status == COLLIDE_OK && counts)
        *counts = (struct log_counts){.n_lines = reader.n_lines, .n_interactions = scan.n_interactions};
    line_reader_free(&reader);
    log_sample_free(&sample);
    return status;
}

enum collide_status log_scan(const char *path, enum log_layout layout, const struct log_visitor *visitor,
                             struct log_counts *counts, struct collide_error *err)
{
    struct byte_stream *stream;
    enum collide_status status = byte_stream_open(path, &stream, err);
    if (status != COLLIDE_OK)
        return status;
    status = log_scan_stream(stream, layout, visitor, counts, err);
    byte_stream_close(stream);
    return status;
}
