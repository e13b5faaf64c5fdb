#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_free(struct buffer *b)
{
    free(b->bytes);
    *b = (struct buffer){0};
}

char *buffer_reserve(struct buffer *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > b->capacity - b->n_bytes) {
        size_t wanted = b->capacity < 256 ? 256 : b->capacity;
        while (wanted - b->n_bytes < n && wanted <= SIZE_MAX / 2)
            wanted *= 2;
        char *bytes = wanted - b->n_bytes < n ? NULL : realloc(b->bytes, wanted);
        if (!bytes) {
            b->failed = true;
            return NULL;
        }
        b->bytes = bytes;
        b->capacity = wanted;
    }
    return b->bytes + b->n_bytes;
}

void buffer_append(struct buffer *b, const void *bytes, size_t n)
{
    char *at = buffer_reserve(b, n);
    if (at && n) {
        memcpy(at, bytes, n);
        b->n_bytes += n;
    }
}

void buffer_drop(struct buffer *b, size_t n)
{
    b->n_bytes -= n;
    if (b->n_bytes > 0 && n > 0)
        memmove(b->bytes, b->bytes + n, b->n_bytes);
}

void buffer_append_text(struct buffer *b, const char *text)
{
    buffer_append(b, text, strlen(text));
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *at = n < 0 ? NULL : buffer_reserve(b, (size_t)n + 1);
    if (at) {
        vsnprintf(at, (size_t)n + 1, format, again);
        b->n_bytes += (size_t)n;
    }
    va_end(again);
}
