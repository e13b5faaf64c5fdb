/* A growable array of bytes. Appending never fails visibly: when memory runs out the buffer turns `failed`,
 * keeps what it has, and the owner checks once at the end. Reuse by setting n_bytes to 0. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *bytes; /* owned; not terminated */
    size_t n_bytes;
    size_t capacity;
    bool failed;
};

void buffer_free(struct buffer *b);

/* Room for n more bytes: a pointer to write at (then add what was written to n_bytes), or NULL when out of
 * memory. */
char *buffer_reserve(struct buffer *b, size_t n);

/* The first n bytes are gone. */
void buffer_drop(struct buffer *b, size_t n);

void buffer_append(struct buffer *b, const void *bytes, size_t n);
void buffer_append_text(struct buffer *b, const char *text);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
