/* How a log is written, judged by its first lines; the rules are in interactions.h. */
#ifndef DATA_LOG_FORMAT_H
#define DATA_LOG_FORMAT_H

#include "base/buffer.h"
#include "collide/status.h"
#include "data/interactions.h"
#include "data/line_reader.h"
#include "data/log_fields.h"

#include <stdbool.h>

enum { LOG_SAMPLE_LINES = 100, LOG_SAMPLE_BYTES = 1 << 20 };

/* The first lines with data or a header: up to LOG_SAMPLE_LINES, none begun beyond LOG_SAMPLE_BYTES. */
struct log_sample {
    struct buffer text; /* owned; the lines point into it */
    struct line lines[LOG_SAMPLE_LINES];
    unsigned n_lines;
};

enum collide_status log_sample_read(struct log_sample *sample, struct line_reader *reader,
                                    struct collide_error *err);
void log_sample_free(struct log_sample *sample);

/* Whether a line is neither a comment nor blank. */
bool log_line_is_data(const struct line *line);

struct log_format {
    enum separator separator;
    enum log_layout layout;            /* never LOG_LAYOUT_AUTO */
    unsigned user_column, item_column; /* of pairs, from 0; of adjacency the user is first */
    bool has_header;                   /* the sample's first line is one */
    bool is_guess; /* nothing but two columns were seen: a third would make the layout doubtful */
};

/* name is the log's, for messages. */
enum collide_status log_format_detect(const struct log_sample *sample, const char *name,
                                      enum log_layout asked, struct log_format *out,
                                      struct collide_error *err);

#endif
