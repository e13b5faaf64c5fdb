/* From an id, or its key, to its rows. */
#ifndef KERNELS_MAPPING_H
#define KERNELS_MAPPING_H

#include "tables.h"

#if PREFETCH
/* OpenCL's own prefetch() does nothing on PoCL. */
#define PREFETCH_LINE(p) __builtin_prefetch((const void *)(size_t)(p))
#else
#define PREFETCH_LINE(p)
#endif
#define LINE_BYTES 64

/* Every id that kernels follow goes through here, whoever sent it. */
static uint known_or_unknown(const tables *t, uint id)
{
    return id < t->params.n_entries ? id : t->params.n_items;
}

#if defined(MAP_PACKED)
#define REMAP_WORD(id, l) (uint) PACKED_WORD((ulong)(id)*LOOKUPS + (l), MAP_BITS)
#else
#define REMAP_WORD(id, l) ((ulong)(id)*LOOKUPS + (l))
#endif

/* splitmix64's finaliser (Steele 2014). */
static ulong mix64(ulong x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
    return x ^ (x >> 31);
}

#if defined(MAP_COMPUTED)
/* Among those that the mapping leads to. */
static uint computed_row(const tables *t, uint id, uint l)
{
#if defined(MAP_MODULO)
    return id % t->params.n_own;
#elif defined(MAP_QUOTIENT)
    return l == 0 ? id % t->params.divisor : t->params.divisor + id / t->params.divisor;
#else
    ulong seed = (ulong)t->params.seed_high << 32 | t->params.seed_low;
    ulong hash = mix64((ulong)id * LOOKUPS + l + 1 + seed * 0x9E3779B97F4A7C15UL);
    return (uint)(((hash >> 32) * t->params.n_own) >> 32);
#endif
}

/* The last row is kept for the unknown item. Where there are further spaces, the host stores their rows
 * instead. */
static uint mapped_row(const tables *t, uint id, uint l)
{
    return id == t->params.n_items ? t->params.n_rows - 1 : t->params.own_first + computed_row(t, id, l);
}
#elif defined(MAP_PACKED)
static uint mapped_row(const tables *t, uint id, uint l)
{
    uint entry = PACKED_AT(REMAP, t->remap, (ulong)id * LOOKUPS + l, MAP_BITS);
#if CODEBOOKS
    uint row = add_sat(t->params.own_first + l * (t->params.n_own / LOOKUPS), entry);
    return id == t->params.n_items ? t->params.n_rows - 1 : row;
#else
    return entry;
#endif
}
#else
static uint mapped_row(const tables *t, uint id, uint l)
{
    return AT(REMAP, t->remap, REMAP_WORD(id, l));
}
#endif

/* The l-th row of a known id. A mapping that is damaged leads to the last row, not out of the table. */
static uint row_of(const tables *t, uint id, uint l)
{
    return min(mapped_row(t, id, l), t->params.n_rows - 1);
}

#if KEYED
/* XXH3-64 of 8 bytes, without a seed (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). */
static ulong key_hash(ulong key)
{
    ulong h = rotate(key, (ulong)32) ^ (0x1CAD21F72C81017CUL ^ 0xDB979083E96DD4DEUL);
    h ^= rotate(h, (ulong)49) ^ rotate(h, (ulong)24);
    h *= 0x9FB21C651E98DF25UL;
    h ^= (h >> 35) + 8;
    h *= 0x9FB21C651E98DF25UL;
    return h ^ (h >> 28);
}

static uint first_slot(const tables *t, ulong key)
{
    return (uint)key_hash(key) & (t->params.n_key_slots - 1);
}

/* The item of a key, or n_items. Linear probing; ends at an empty slot, or when it has seen all. */
static uint find_item(const tables *t, ulong key)
{
    uint slot = first_slot(t, key), n = t->params.n_key_slots;
    for (uint tried = 0; tried < n; tried++) {
        uint id = AT(KEY_SLOTS, t->key_slots, slot);
        if (id >= t->params.n_items)
            break;
        if (AT(KEYS, t->keys, id) == key)
            return id;
        slot = (slot + 1) & (n - 1);
    }
    return t->params.n_items;
}
#endif

#endif
