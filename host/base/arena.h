/* Memory that is handed out piece by piece and taken back all at once: a request's. Reset keeps it, up to
 * ARENA_KEEP_BYTES, for the next one, so that a warm arena allocates nothing. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

enum { ARENA_KEEP_BYTES = 4 << 20 };

struct arena_block;

struct arena {
    struct arena_block *current; /* the latest; it leads to those before */
    size_t n_kept_bytes;         /* the next first block's, at least */
};

/* n items of item_bytes each, zeroed, aligned for any type; valid until reset or free. NULL when out of
 * memory. */
void *arena_alloc(struct arena *a, size_t n, size_t item_bytes);

/* As realloc: what the n_used items held, in room for n, the rest of it not zeroed. What was the latest piece
 * mostly grows where it is; the room of any other is taken back at reset only. */
void *arena_grow(struct arena *a, void *old, size_t n_used, size_t n, size_t item_bytes);

/* What it has of the system. */
size_t arena_n_bytes(const struct arena *a);

void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
