/* Filling in a struct collide_error at the place of failure. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "collide/status.h"

/* Formats the detail text into err (may be NULL) and returns status, so that callers can `return
 * error_set(...)`. */
enum collide_status error_set(struct collide_error *err, enum collide_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, with ": <strerror(saved_errno)>" appended. */
enum collide_status error_set_errno(struct collide_error *err, enum collide_status status, int saved_errno,
                                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* COLLIDE_NO_MEMORY, naming what the memory was for. */
enum collide_status error_no_memory(struct collide_error *err, const char *what);

#endif
