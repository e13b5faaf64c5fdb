/* Messages for the operator, one line each on stderr. The level is the only mutable global; it is LOG_NONE
 * until a program says otherwise, so that the library never prints. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_NONE = -1, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);

/* Whether lines of this level are written. */
bool log_shows(enum log_level level);

/* One write per line, so that lines of different threads never mix. A reader that is stuck holds it up for a
 * second at the most, and misses the line. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

#endif
