/* The hash index of id_index.h, shared by those who build it and those who look things up. */
#ifndef DATA_ID_HASH_H
#define DATA_ID_HASH_H

#include "data/id_index.h"

#include <endian.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t id_hash_u64(uint64_t key)
{
    uint64_t bytes = htole64(key);
    return XXH3_64bits(&bytes, sizeof bytes);
}

static inline uint64_t id_hash_text(const char *text, size_t n_bytes)
{
    return XXH3_64bits(text, n_bytes);
}

/* The slot that holds the key, or else the first empty one on its way: where it would go. n_slots when there
 * is neither, which only happens in a full index (a file's may be). */
static inline uint32_t id_slot_u64(const struct id_index *index, uint64_t key)
{
    uint32_t slot = (uint32_t)id_hash_u64(key) & (index->n_slots - 1);
    for (uint32_t n_seen = 0; n_seen < index->n_slots; n_seen++) {
        uint32_t d = index->slots[slot];
        if (d == ID_NONE || index->keys[d] == key)
            return slot;
        slot = (slot + 1) & (index->n_slots - 1);
    }
    return index->n_slots;
}

static inline uint32_t id_slot_text(const struct id_index *index, const char *text, size_t n_bytes)
{
    uint32_t slot = (uint32_t)id_hash_text(text, n_bytes) & (index->n_slots - 1);
    for (uint32_t n_seen = 0; n_seen < index->n_slots; n_seen++) {
        uint32_t d = index->slots[slot];
        if (d == ID_NONE)
            return slot;
        uint64_t begin = index->key_offsets[d];
        if (index->key_offsets[d + 1] - begin == n_bytes && !memcmp(index->key_bytes + begin, text, n_bytes))
            return slot;
        slot = (slot + 1) & (index->n_slots - 1);
    }
    return index->n_slots;
}

#endif
