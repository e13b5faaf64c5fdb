/* The lines of a byte stream. A byte order mark, line ends of either kind, and a missing last line end are
 * seen to. */
#ifndef DATA_LINE_READER_H
#define DATA_LINE_READER_H

#include "collide/status.h"
#include "data/byte_stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_MAX_BYTES = 16 << 20 }; /* with its line end */

struct line {
    char *text; /* without its line end, not terminated; may be written to; NULL: no more lines */
    size_t n_bytes;
    uint64_t number; /* from 1 */
};

struct line_reader {
    struct byte_stream *stream; /* borrowed */
    char *bytes;                /* (capacity), owned; those from begin to end are not given out yet */
    size_t capacity;
    size_t begin;
    size_t end;
    size_t n_searched; /* of them, known to hold no line end */
    bool is_at_end;    /* of the stream */
    uint64_t n_lines;  /* given out */
};

/* Borrows the stream. Allocates at the first line. */
void line_reader_init(struct line_reader *r, struct byte_stream *stream);
void line_reader_free(struct line_reader *r);

/* The next line, which borrows from the reader until the next call. Lines of more than LINE_MAX_BYTES and
 * lines with a NUL byte are COLLIDE_INVALID. */
enum collide_status line_reader_next(struct line_reader *r, struct line *out, struct collide_error *err);

#endif
