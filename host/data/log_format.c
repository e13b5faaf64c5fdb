#include "data/log_format.h"

#include "base/error.h"
#include "base/log.h"
#include "data/id_index.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

bool log_line_is_data(const struct line *line)
{
    if (line->n_bytes == 0 || line->text[0] == '#')
        return false;
    for (size_t i = 0; i < line->n_bytes; i++)
        if (line->text[i] != ' ' && line->text[i] != '\t')
            return true;
    return false;
}

void log_sample_free(struct log_sample *sample)
{
    buffer_free(&sample->text);
}

enum collide_status log_sample_read(struct log_sample *sample, struct line_reader *reader,
                                    struct collide_error *err)
{
    while (sample->n_lines < LOG_SAMPLE_LINES && sample->text.n_bytes < LOG_SAMPLE_BYTES) {
        struct line line;
        enum collide_status status = line_reader_next(reader, &line, err);
        if (status != COLLIDE_OK)
            return status;
        if (!line.text)
            break;
        if (!log_line_is_data(&line))
            continue;
        buffer_append(&sample->text, line.text, line.n_bytes);
        sample->lines[sample->n_lines++] = line;
    }
    if (sample->text.failed)
        return error_no_memory(err, "the log's first lines");
    char *text = sample->text.bytes;
    for (unsigned i = 0; i < sample->n_lines; i++) {
        sample->lines[i].text = text;
        text += sample->lines[i].n_bytes;
    }
    return COLLIDE_OK;
}

static bool is_integer(const struct field *f)
{
    uint64_t value;
    return id_parse_u64(f->text, f->n_bytes, &value);
}

static bool pair_of(const struct line *line, enum separator separator, struct field pair[2])
{
    struct field_cursor c = fields_of(line, separator);
    return field_next(&c, &pair[0]) && field_next(&c, &pair[1]);
}

/* "user", "user_id" or "userid" in any case for kind "user"; RecBole's form has :type behind it. */
static bool is_name_of(const struct field *f, const char *kind)
{
    const size_t n = strlen(kind);
    const char *colon = memchr(f->text, ':', f->n_bytes);
    const size_t n_bytes = colon ? (size_t)(colon - f->text) : f->n_bytes;
    if (n_bytes < n || strncasecmp(f->text, kind, n) != 0)
        return false;
    const char *rest = f->text + n;
    size_t n_rest = n_bytes - n;
    return n_rest == 0 || (n_rest == 2 && !strncasecmp(rest, "id", 2)) ||
           (n_rest == 3 && !strncasecmp(rest, "_id", 3));
}

/* The type of a column headed name:type, RecBole's form. */
static struct field type_of(const struct field *f)
{
    char *colon = memchr(f->text, ':', f->n_bytes);
    if (!colon || colon == f->text)
        return (struct field){0};
    return (struct field){.text = colon + 1, .n_bytes = f->n_bytes - (size_t)(colon + 1 - f->text)};
}

static bool is_type(const struct field *f)
{
    return field_is(f, "token") || field_is(f, "token_seq") || field_is(f, "float") ||
           field_is(f, "float_seq");
}

static bool is_typed(const struct line *line, enum separator separator)
{
    struct field_cursor c = fields_of(line, separator);
    struct field f;
    unsigned n_columns = 0;
    for (; field_next(&c, &f); n_columns++) {
        struct field type = type_of(&f);
        if (!is_type(&type))
            return false;
    }
    return n_columns >= 2 && !c.problem;
}

/* Where a line names the columns of user and item, both of them; false: it does not. */
static bool find_named(const struct line *line, enum separator separator, struct log_format *out)
{
    struct field_cursor c = fields_of(line, separator);
    struct field f;
    bool has_user = false, has_item = false;
    for (unsigned column = 0; field_next(&c, &f); column++) {
        if (!has_user && is_name_of(&f, "user")) {
            out->user_column = column;
            has_user = true;
        } else if (!has_item && is_name_of(&f, "item")) {
            out->item_column = column;
            has_item = true;
        }
    }
    return has_user && has_item;
}

/* A typed header may say that what is taken for users and items are no ids at all. */
static enum collide_status check_types(const struct line *line, const struct log_format *format,
                                       const char *name, struct collide_error *err)
{
    struct field_cursor c = fields_of(line, format->separator);
    struct field f;
    if (!is_typed(line, format->separator))
        return COLLIDE_OK;
    for (unsigned column = 0; field_next(&c, &f); column++) {
        struct field type = type_of(&f);
        if ((column == format->user_column || column == format->item_column) && !field_is(&type, "token"))
            return error_set(err, COLLIDE_INVALID,
                             "%s:%" PRIu64 ": the columns of user and item are not both of type token; call "
                             "them user_id:token and item_id:token, or put them first",
                             name, line->number);
    }
    return COLLIDE_OK;
}

/* Ids that are words may be a header that nobody recognised: say what was made of the first line. */
static void tell_header(const struct log_sample *sample, const struct log_format *format, const char *name)
{
    struct field pair[2];
    const struct line *line = &sample->lines[0];
    if (format->has_header)
        log_info("%s:%" PRIu64 ": a header, passed over", name, line->number);
    else if (pair_of(line, format->separator, pair) && !is_integer(&pair[0]) && !is_integer(&pair[1]))
        log_info("%s:%" PRIu64 ": no header: \"%.*s\" and \"%.*s\" are taken for ids", name, line->number,
                 (int)(pair[0].n_bytes < 32 ? pair[0].n_bytes : 32), pair[0].text,
                 (int)(pair[1].n_bytes < 32 ? pair[1].n_bytes : 32), pair[1].text);
}

/* Of a first line that does not name the columns. */
static bool is_header(const struct log_sample *sample, enum separator separator)
{
    struct field first[2], second[2];
    if (is_typed(&sample->lines[0], separator))
        return true;
    return pair_of(&sample->lines[0], separator, first) && !is_integer(&first[0]) && !is_integer(&first[1]) &&
           sample->n_lines > 1 && pair_of(&sample->lines[1], separator, second) && is_integer(&second[0]) &&
           is_integer(&second[1]);
}

/* What tells pairs with further columns from adjacency, over the lines after the header. */
struct sample_facts {
    unsigned n_header_columns; /* 0: no header */
    unsigned min_columns;
    unsigned max_columns;
    bool repeats_user;  /* two lines start with the same id */
    bool has_no_thirds; /* no line shows a third column that could be an id like the line's first two */
};

static unsigned count_columns(const struct line *line, enum separator separator)
{
    struct field_cursor c = fields_of(line, separator);
    struct field f;
    unsigned n = 0;
    while (field_next(&c, &f))
        n++;
    return n;
}

static bool could_be_id(const struct line *line, enum separator separator)
{
    struct field_cursor c = fields_of(line, separator);
    struct field user, item, third;
    if (!field_next(&c, &user) || !field_next(&c, &item) || !field_next(&c, &third))
        return false;
    return is_integer(&third) || !is_integer(&user) || !is_integer(&item);
}

static struct sample_facts gather_facts(const struct log_sample *sample, const struct log_format *format)
{
    struct sample_facts facts = {.min_columns = UINT_MAX, .has_no_thirds = true};
    const enum separator separator = format->separator;
    const unsigned n_header_lines = format->has_header;
    if (n_header_lines)
        facts.n_header_columns = count_columns(&sample->lines[0], separator);
    struct field users[LOG_SAMPLE_LINES];
    for (unsigned i = n_header_lines; i < sample->n_lines; i++) {
        const struct line *line = &sample->lines[i];
        unsigned n_columns = count_columns(line, separator);
        facts.min_columns = n_columns < facts.min_columns ? n_columns : facts.min_columns;
        facts.max_columns = n_columns > facts.max_columns ? n_columns : facts.max_columns;
        facts.has_no_thirds &= !could_be_id(line, separator);
        struct field_cursor c = fields_of(line, separator);
        if (!field_next(&c, &users[i]))
            users[i] = (struct field){0}; /* a quote that is not closed: said when the line's turn comes */
        for (unsigned j = n_header_lines; j < i; j++)
            facts.repeats_user |= users[i].n_bytes > 0 && users[j].n_bytes == users[i].n_bytes &&
                                  !memcmp(users[j].text, users[i].text, users[i].n_bytes);
    }
    return facts;
}

/* Pairs seldom have more than user, item, rating and time. */
enum { MAX_USUAL_PAIR_COLUMNS = 4 };

/* LOG_LAYOUT_AUTO: doubtful. Guessing wrong would drop items or make items of ratings without a word. */
static enum log_layout judge_layout(const struct sample_facts *f)
{
    if (f->max_columns <= 2 || f->has_no_thirds)
        return LOG_LAYOUT_PAIRS;
    if (f->min_columns == f->max_columns)
        return f->repeats_user || f->n_header_columns == f->max_columns ? LOG_LAYOUT_PAIRS : LOG_LAYOUT_AUTO;
    bool is_usual_for_pairs = f->min_columns >= 2 && f->max_columns <= MAX_USUAL_PAIR_COLUMNS;
    if (f->repeats_user == is_usual_for_pairs)
        return f->repeats_user ? LOG_LAYOUT_PAIRS : LOG_LAYOUT_ADJACENCY;
    return LOG_LAYOUT_AUTO;
}

/* Between tabs or commas, of which pairs have as many in every line. */
static bool has_ragged_lines(const struct sample_facts *f)
{
    return f->n_header_columns == 0 && !f->repeats_user && f->min_columns < f->max_columns &&
           f->max_columns > MAX_USUAL_PAIR_COLUMNS;
}

enum collide_status log_format_detect(const struct log_sample *sample, const char *name,
                                      enum log_layout asked, struct log_format *out,
                                      struct collide_error *err)
{
    struct log_format format = {
        .separator = SEPARATOR_BLANKS, .layout = LOG_LAYOUT_PAIRS, .user_column = 0, .item_column = 1};
    bool are_elsewhere = false;
    if (sample->n_lines > 0) {
        const struct line *first = &sample->lines[0];
        format.separator = separator_of(first);
        struct log_format named = format;
        if (find_named(first, format.separator, &named)) {
            are_elsewhere = named.user_column != 0 || named.item_column != 1;
            format = named;
            format.has_header = true;
        } else {
            format.has_header = is_header(sample, format.separator);
        }
        enum collide_status status = check_types(first, &format, name, err);
        if (status == COLLIDE_OK && are_elsewhere && asked == LOG_LAYOUT_ADJACENCY)
            status = error_set(err, COLLIDE_INVALID,
                               "%s:%" PRIu64 ": the header says where user and item are, as of pairs, but "
                               "the layout asked for is adjacency",
                               name, first->number);
        if (status != COLLIDE_OK)
            return status;
        tell_header(sample, &format, name);
    }
    if (asked != LOG_LAYOUT_AUTO) {
        format.layout = asked;
    } else if (!are_elsewhere) {
        struct sample_facts facts = gather_facts(sample, &format);
        const bool is_blank = format.separator == SEPARATOR_BLANKS;
        if (is_blank || has_ragged_lines(&facts))
            format.layout = judge_layout(&facts);
        format.is_guess = is_blank && facts.max_columns <= 2;
    }
    if (format.layout == LOG_LAYOUT_AUTO)
        return error_set(err, COLLIDE_INVALID,
                         "%s:%" PRIu64 ": these lines could be a user and many items, or pairs with further "
                         "columns; say which by asking for the layout adjacency or pairs",
                         name, sample->lines[0].number);
    *out = format;
    return COLLIDE_OK;
}
