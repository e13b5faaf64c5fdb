#include "data/log_fields.h"

#include <string.h>

enum separator separator_of(const struct line *line)
{
    if (memchr(line->text, '\t', line->n_bytes))
        return SEPARATOR_TAB;
    if (memchr(line->text, ',', line->n_bytes))
        return SEPARATOR_COMMA;
    return SEPARATOR_BLANKS;
}

struct field_cursor fields_of(const struct line *line, enum separator separator)
{
    return (struct field_cursor){.at = line->text, .end = line->text + line->n_bytes, .separator = separator};
}

static char *skip_blanks(char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static bool next_word(struct field_cursor *c, struct field *out)
{
    char *begin = skip_blanks(c->at, c->end);
    char *stop = begin;
    while (stop < c->end && *stop != ' ' && *stop != '\t')
        stop++;
    *out = (struct field){.text = begin, .n_bytes = (size_t)(stop - begin)};
    c->at = stop;
    return stop > begin;
}

static bool next_quoted(struct field_cursor *c, char *opening, struct field *out)
{
    struct field f = {.text = opening + 1};
    char *at = f.text;
    for (;;) {
        char *quote = memchr(at, '"', (size_t)(c->end - at));
        if (!quote) {
            c->problem = "a quote is not closed on its line";
            return false;
        }
        f.n_bytes = (size_t)(quote - f.text);
        at = quote + 1;
        if (at == c->end || *at != '"')
            break;
        f.has_doubled_quotes = true;
        at++;
    }
    at = skip_blanks(at, c->end);
    if (at < c->end && *at != ',') {
        c->problem = "text follows a closing quote; quotes inside a quoted column must be doubled";
        return false;
    }
    c->at = at < c->end ? at + 1 : NULL;
    *out = f;
    return true;
}

static bool next_between(struct field_cursor *c, char separator, struct field *out)
{
    char *stop = memchr(c->at, separator, (size_t)(c->end - c->at));
    char *end = stop ? stop : c->end;
    char *begin = skip_blanks(c->at, end);
    c->at = stop ? stop + 1 : NULL;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *out = (struct field){.text = begin, .n_bytes = (size_t)(end - begin)};
    return true;
}

bool field_next(struct field_cursor *c, struct field *out)
{
    if (!c->at || c->problem)
        return false;
    if (c->separator == SEPARATOR_BLANKS)
        return next_word(c, out);
    if (c->separator == SEPARATOR_TAB)
        return next_between(c, '\t', out);
    char *begin = skip_blanks(c->at, c->end);
    if (begin < c->end && *begin == '"')
        return next_quoted(c, begin, out);
    return next_between(c, ',', out);
}

void field_unquote(struct field *f)
{
    if (!f->has_doubled_quotes)
        return;
    size_t n = 0;
    for (size_t i = 0; i < f->n_bytes; i++) {
        f->text[n++] = f->text[i];
        i += f->text[i] == '"';
    }
    f->n_bytes = n;
    f->has_doubled_quotes = false;
}

bool field_is(const struct field *f, const char *text)
{
    return f->n_bytes == strlen(text) && !memcmp(f->text, text, f->n_bytes);
}
