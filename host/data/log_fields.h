/* The columns of one line. */
#ifndef DATA_LOG_FIELDS_H
#define DATA_LOG_FIELDS_H

#include "data/line_reader.h"

#include <stdbool.h>
#include <stddef.h>

/* What stands between columns: one tab, one comma, or any run of spaces and tabs. */
enum separator { SEPARATOR_TAB, SEPARATOR_COMMA, SEPARATOR_BLANKS };

/* Of a whole log, by its first line: a tab, else a comma, else blanks. */
enum separator separator_of(const struct line *line);

/* As it stands in the line, without the quotes around it and the blanks around those. */
struct field {
    char *text;
    size_t n_bytes;
    bool has_doubled_quotes;
};

struct field_cursor {
    char *at; /* NULL: no more fields */
    char *end;
    enum separator separator;
    const char *problem; /* why the fields end before the line does, or NULL */
};

struct field_cursor fields_of(const struct line *line, enum separator separator);

/* The next field, borrowed from the line: false when there is none, or a problem. Between commas (RFC 4180) a
 * field may stand in double quotes, with doubled ones for those inside. The line stays as it is. */
bool field_next(struct field_cursor *c, struct field *out);

/* Makes doubled quotes single, in the line. */
void field_unquote(struct field *f);

bool field_is(const struct field *f, const char *text);

#endif
