/* Click logs: what was shown to whom, and whether it was clicked.
 *
 * A log is text, plain or compressed by gzip or zstd; "-" is stdin. Columns are separated as interactions.h
 * says, and all lines have as many as the first. That one is a header if a column is chosen by name, else if
 * its label is no number. Blank lines and lines that start with '#' are passed over. A column without text is
 * a missing value, whose id is the empty text; labels cannot be missing.
 *
 * What is wrong with a line is COLLIDE_INVALID, with file and line number. */
#ifndef DATA_CLICK_LOG_H
#define DATA_CLICK_LOG_H

#include "data/byte_stream.h"
#include "data/click_columns.h"

#include <stdint.h>

enum { CLICK_MAX_IDS = 1 + CLICK_MAX_FEATURES };

struct click_text {
    const char *text; /* not terminated */
    size_t n_bytes;
};

/* Sees every line in the file's order. ids: the item's, then those of the features in the order of the
 * columns; valid only during the call. */
struct click_visitor {
    enum collide_status (*visit)(void *context, bool is_click, const struct click_text *ids,
                                 struct collide_error *err);
    void *context;
};

/* Streams a log in constant memory. */
enum collide_status click_log_scan(const char *path, const struct click_columns *columns,
                                   const struct click_visitor *visitor, struct collide_error *err);

/* Reads the stream to its end; borrows it. */
enum collide_status click_log_scan_stream(struct byte_stream *stream, const struct click_columns *columns,
                                          const struct click_visitor *visitor, struct collide_error *err);

#endif
