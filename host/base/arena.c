#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t n_bytes;
    size_t used;
    alignas(max_align_t) char bytes[];
};

enum { BLOCK_BYTES = 16384 };

static struct arena_block *add_block(struct arena *a, size_t n_bytes)
{
    if (n_bytes < BLOCK_BYTES)
        n_bytes = BLOCK_BYTES;
    struct arena_block *block = malloc(sizeof *block + n_bytes);
    if (!block)
        return NULL;
    *block = (struct arena_block){.n_bytes = n_bytes};
    if (a->current) {
        block->next = a->current->next;
        a->current->next = block;
    } else {
        a->first = block;
    }
    return block;
}

void *arena_alloc(struct arena *a, size_t n, size_t item_bytes)
{
    size_t n_bytes;
    if (__builtin_mul_overflow(n, item_bytes, &n_bytes) || n_bytes > SIZE_MAX / 2)
        return NULL;
    size_t align = alignof(max_align_t);
    n_bytes = (n_bytes + align - 1) / align * align;
    while (!a->current || a->current->n_bytes - a->current->used < n_bytes) {
        struct arena_block *next = a->current ? a->current->next : NULL;
        if (!next || next->n_bytes < n_bytes)
            next = add_block(a, n_bytes);
        if (!next)
            return NULL;
        next->used = 0;
        a->current = next;
    }
    void *out = a->current->bytes + a->current->used;
    a->current->used += n_bytes;
    return memset(out, 0, n_bytes);
}

void arena_reset(struct arena *a)
{
    a->current = a->first;
    if (a->current)
        a->current->used = 0;
}

void arena_free(struct arena *a)
{
    for (struct arena_block *block = a->first; block;) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *a = (struct arena){0};
}
