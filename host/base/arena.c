#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *before;
    size_t n_bytes;
    size_t used;
    size_t latest; /* where the latest piece begins */
    alignas(max_align_t) char bytes[];
};

enum { BLOCK_BYTES = 16384 };

static struct arena_block *add_block(struct arena *a, size_t n_bytes)
{
    size_t least = a->n_kept_bytes > BLOCK_BYTES ? a->n_kept_bytes : BLOCK_BYTES;
    if (n_bytes < least)
        n_bytes = least;
    struct arena_block *block = malloc(sizeof *block + n_bytes);
    if (!block)
        return NULL;
    *block = (struct arena_block){.before = a->current, .n_bytes = n_bytes};
    a->current = block;
    a->n_kept_bytes = 0;
    return block;
}

/* Never 0, so that each piece has a place of its own. False: so large a one cannot be had. */
static bool piece_bytes(size_t n, size_t item_bytes, size_t *out)
{
    size_t n_bytes, align = alignof(max_align_t);
    if (__builtin_mul_overflow(n, item_bytes, &n_bytes) || n_bytes > SIZE_MAX / 2)
        return false;
    *out = n_bytes ? (n_bytes + align - 1) / align * align : align;
    return true;
}

static void *add_piece(struct arena *a, size_t n_bytes)
{
    struct arena_block *block = a->current;
    if (!block || block->n_bytes - block->used < n_bytes)
        block = add_block(a, n_bytes);
    if (!block)
        return NULL;
    block->latest = block->used;
    block->used += n_bytes;
    return block->bytes + block->latest;
}

void *arena_alloc(struct arena *a, size_t n, size_t item_bytes)
{
    size_t n_bytes;
    void *out = piece_bytes(n, item_bytes, &n_bytes) ? add_piece(a, n_bytes) : NULL;
    return out ? memset(out, 0, n_bytes) : NULL;
}

/* The latest piece grows where it is: into the rest of its block, or, if it is alone there, with it. */
static void *grow_latest(struct arena *a, size_t n_bytes)
{
    struct arena_block *block = a->current;
    if (n_bytes > block->n_bytes - block->latest) {
        if (block->latest > 0)
            return NULL;
        block = realloc(block, sizeof *block + n_bytes);
        if (!block)
            return NULL;
        a->current = block;
        block->n_bytes = n_bytes;
    }
    block->used = block->latest + n_bytes;
    return block->bytes + block->latest;
}

void *arena_grow(struct arena *a, void *old, size_t n_used, size_t n, size_t item_bytes)
{
    size_t n_bytes;
    if (!piece_bytes(n, item_bytes, &n_bytes))
        return NULL;
    void *grown = old && old == a->current->bytes + a->current->latest ? grow_latest(a, n_bytes) : NULL;
    if (grown)
        return grown;
    grown = add_piece(a, n_bytes);
    if (grown && n_used)
        memcpy(grown, old, n_used * item_bytes);
    return grown;
}

size_t arena_n_bytes(const struct arena *a)
{
    size_t n_bytes = 0;
    for (const struct arena_block *b = a->current; b; b = b->before)
        n_bytes += b->n_bytes;
    return n_bytes;
}

/* Several blocks become one of their size, so that requests that ask for more and more, or now this and now
 * that, leave no trail of blocks behind. */
void arena_reset(struct arena *a)
{
    if (a->current && !a->current->before && a->current->n_bytes <= ARENA_KEEP_BYTES) {
        a->current->used = a->current->latest = 0;
        return;
    }
    size_t n_bytes = 0;
    for (const struct arena_block *block = a->current; block; block = block->before)
        n_bytes += block->n_bytes;
    arena_free(a);
    a->n_kept_bytes = n_bytes < ARENA_KEEP_BYTES ? n_bytes : ARENA_KEEP_BYTES;
}

void arena_free(struct arena *a)
{
    for (struct arena_block *block = a->current; block;) {
        struct arena_block *before = block->before;
        free(block);
        block = before;
    }
    *a = (struct arena){0};
}
