#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000 };

static _Atomic int current_level = LOG_NONE;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

bool log_shows(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&current_level, memory_order_relaxed);
}

/* A log line that cannot be written has nowhere to be reported. What reads standard error may be stuck, and
 * must not stop the program: a pipe with room at all has it for a line. */
static void write_line(const char *line, size_t n_bytes)
{
    struct pollfd writable = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&writable, 1, PATIENCE_MS) == 0)
        return;
    ssize_t written = write(STDERR_FILENO, line, n_bytes);
    (void)written;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
    if (!log_shows(level))
        return;
    char line[2048];
    int used = snprintf(line, sizeof line, "%s", names[level]);
    va_list args;
    va_start(args, format);
    vsnprintf(line + used, sizeof line - (size_t)used - 1, format, args);
    va_end(args);
    size_t length = strnlen(line, sizeof line - 2);
    line[length] = '\n';
    write_line(line, length + 1);
}
