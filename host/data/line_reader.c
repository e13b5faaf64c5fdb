#include "data/line_reader.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1 << 18 }; /* doubles up to LINE_MAX_BYTES exactly */

void line_reader_init(struct line_reader *r, struct byte_stream *stream)
{
    *r = (struct line_reader){.stream = stream};
}

void line_reader_free(struct line_reader *r)
{
    free(r->bytes);
    *r = (struct line_reader){0};
}

/* Room behind `end`, by moving the begun line to the front, or by growing when it fills the whole buffer. */
static enum collide_status make_room(struct line_reader *r, struct collide_error *err)
{
    if (r->begin > 0) {
        memmove(r->bytes, r->bytes + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
    if (r->end < r->capacity)
        return COLLIDE_OK;
    if (r->capacity == LINE_MAX_BYTES)
        return error_set(err, COLLIDE_INVALID, "%s:%" PRIu64 ": the line is longer than %d MiB; split it",
                         byte_stream_name(r->stream), r->n_lines + 1, LINE_MAX_BYTES >> 20);
    size_t capacity = r->capacity ? 2 * r->capacity : FIRST_CAPACITY;
    char *bytes = realloc(r->bytes, capacity);
    if (!bytes)
        return error_no_memory(err, "a line of the log");
    r->bytes = bytes;
    r->capacity = capacity;
    return COLLIDE_OK;
}

static enum collide_status fill(struct line_reader *r, struct collide_error *err)
{
    enum collide_status status = make_room(r, err);
    if (status != COLLIDE_OK)
        return status;
    size_t n_read;
    status = byte_stream_read(r->stream, r->bytes + r->end, r->capacity - r->end, &n_read, err);
    if (status == COLLIDE_OK) {
        r->end += n_read;
        r->is_at_end = n_read == 0;
    }
    return status;
}

static void trim(struct line *line)
{
    static const char byte_order_mark[] = {'\xef', '\xbb', '\xbf'};
    if (line->n_bytes && line->text[line->n_bytes - 1] == '\r')
        line->n_bytes--;
    if (line->number == 1 && line->n_bytes >= sizeof byte_order_mark &&
        !memcmp(line->text, byte_order_mark, sizeof byte_order_mark)) {
        line->text += sizeof byte_order_mark;
        line->n_bytes -= sizeof byte_order_mark;
    }
}

static enum collide_status give_line(struct line_reader *r, size_t n_bytes, struct line *out,
                                     struct collide_error *err)
{
    struct line line = {.text = r->bytes + r->begin, .n_bytes = n_bytes, .number = r->n_lines + 1};
    if (memchr(line.text, '\0', n_bytes))
        return error_set(err, COLLIDE_INVALID,
                         "%s:%" PRIu64 ": a NUL byte; a log is text, plain or compressed by gzip or zstd",
                         byte_stream_name(r->stream), line.number);
    r->begin += n_bytes;
    if (r->begin < r->end) /* only the last line may lack its line end */
        r->begin++;
    r->n_searched = 0;
    r->n_lines++;
    trim(&line);
    *out = line;
    return COLLIDE_OK;
}

static bool find_line_end(struct line_reader *r, size_t *n_line)
{
    const char *begin = r->bytes + r->begin;
    size_t n_left = r->end - r->begin;
    const char *stop = memchr(begin + r->n_searched, '\n', n_left - r->n_searched);
    r->n_searched = n_left;
    if (stop)
        *n_line = (size_t)(stop - begin);
    return stop != NULL;
}

enum collide_status line_reader_next(struct line_reader *r, struct line *out, struct collide_error *err)
{
    for (;;) {
        size_t n_left = r->end - r->begin;
        size_t n_line;
        if (n_left && find_line_end(r, &n_line))
            return give_line(r, n_line, out, err);
        if (r->is_at_end && n_left)
            return give_line(r, n_left, out, err);
        if (r->is_at_end) {
            *out = (struct line){.number = r->n_lines};
            return COLLIDE_OK;
        }
        enum collide_status status = fill(r, err);
        if (status != COLLIDE_OK)
            return status;
    }
}
