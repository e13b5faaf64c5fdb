/* log_scan over any byte stream; interactions.h has it for files. */
#ifndef DATA_LOG_SCAN_H
#define DATA_LOG_SCAN_H

#include "collide/status.h"
#include "data/byte_stream.h"
#include "data/interactions.h"

/* Reads the stream to its end; borrows it. counts may be NULL. */
enum collide_status log_scan_stream(struct byte_stream *stream, enum log_layout layout,
                                    const struct log_visitor *visitor, struct log_counts *counts,
                                    struct collide_error *err);

#endif
