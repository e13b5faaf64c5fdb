/* A bounded little-endian read cursor with a sticky error: parse everything, check `failed` once. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed; /* a read went past the end; every later read gives 0 or NULL */
};

static inline struct cursor cursor_over(const void *bytes, size_t n_bytes)
{
    return (struct cursor){.at = bytes, .end = (const uint8_t *)bytes + n_bytes};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* The next n bytes, borrowed from the underlying memory, or NULL. */
static inline const uint8_t *cursor_take(struct cursor *c, uint64_t n)
{
    if (c->failed || n > cursor_left(c)) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *bytes = c->at;
    c->at += n;
    return bytes;
}

static inline uint64_t cursor_le(struct cursor *c, unsigned n_bytes)
{
    const uint8_t *bytes = cursor_take(c, n_bytes);
    uint64_t value = 0;
    for (unsigned i = 0; bytes && i < n_bytes; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    return (uint32_t)cursor_le(c, 4);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    return cursor_le(c, 8);
}

#endif
