/* Memory that is handed out piece by piece and taken back all at once: a request's. Reset keeps it for the
 * next one, so that a warm arena allocates nothing. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *first;
    struct arena_block *current;
};

/* n items of item_bytes each, zeroed, aligned for any type; valid until reset or free. NULL when out of
 * memory. */
void *arena_alloc(struct arena *a, size_t n, size_t item_bytes);
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
