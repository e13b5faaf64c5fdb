/* Logs given as text, and what a scan of them sees. */
#ifndef TESTS_LOG_FIXTURE_H
#define TESTS_LOG_FIXTURE_H

#include "data/interactions.h"

#include <stddef.h>

/* What a scan gave: "user|item;" for every interaction in order, or "STATUS: message" when it failed. */
struct scan_result {
    enum collide_status status;
    char text[1024];
    struct log_counts counts;
};

/* The log is called "log" in messages. */
struct scan_result scan_bytes(const void *bytes, size_t n_bytes, enum log_layout layout);
struct scan_result scan_text(const char *text, enum log_layout layout);

/* A new file with these bytes; its path is (64) and ends with suffix. */
void write_temporary(char path[64], const char *suffix, const void *bytes, size_t n_bytes);

#define assert_scan(log, layout, expected) assert_string_equal(scan_text(log, layout).text, expected)

#endif
