#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifndef COLLIDE_VERSION
#error "COLLIDE_VERSION comes from CMake"
#endif

const char *collide_status_name(enum collide_status status)
{
    switch (status) {
    case COLLIDE_OK:
        return "ok";
    case COLLIDE_INVALID:
        return "invalid";
    case COLLIDE_NOT_FOUND:
        return "not_found";
    case COLLIDE_IO:
        return "io";
    case COLLIDE_CORRUPT:
        return "corrupt";
    case COLLIDE_UNSUPPORTED:
        return "unsupported";
    case COLLIDE_NO_MEMORY:
        return "no_memory";
    case COLLIDE_DEVICE:
        return "device";
    case COLLIDE_BUSY:
        return "busy";
    }
    return "unknown";
}

const char *collide_version(void)
{
    return COLLIDE_VERSION;
}

/* Messages quote names out of files and requests: a control character would break the line, or steer a
 * terminal. */
static void blank_controls(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

enum collide_status error_set(struct collide_error *err, enum collide_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        blank_controls(err->text);
        err->status = status;
    }
    return status;
}

enum collide_status error_set_errno(struct collide_error *err, enum collide_status status, int saved_errno,
                                    const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        blank_controls(err->text);
        size_t used = strlen(err->text);
        char buffer[128];
        snprintf(err->text + used, sizeof err->text - used, ": %s",
                 strerror_r(saved_errno, buffer, sizeof buffer));
        err->status = status;
    }
    return status;
}

enum collide_status error_no_memory(struct collide_error *err, const char *what)
{
    return error_set(err, COLLIDE_NO_MEMORY, "out of memory for %s", what);
}
