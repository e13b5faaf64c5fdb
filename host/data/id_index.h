/* External id -> dense id 0..n_ids-1 and back.
 *
 * ID_DENSE   integers 0..n_ids-1 are their own dense ids: nothing is stored;
 * ID_U64     sparse integers: keys[dense], and a hash index over them;
 * ID_STRING  strings: key_bytes and key_offsets, and a hash index over them.
 *
 * The hash index is open addressing with linear probing: a key's first slot is its hash & (n_slots - 1), a
 * slot holds a dense id or ID_NONE, n_slots is a power of two of at least 4/3 n_ids (hence n_ids is at most
 * 3/4 * 2^31 where there is one). The hash is XXH3_64bits over the key's bytes (an integer's 8 bytes,
 * little-endian). */
#ifndef DATA_ID_INDEX_H
#define DATA_ID_INDEX_H

#include "collide/id.h"
#include "collide/status.h"

#include <stdbool.h>

enum id_kind { ID_DENSE, ID_U64, ID_STRING };

#define ID_NONE UINT32_MAX /* no id; so there are at most 2^32 - 2 of them */

/* A view: borrows all its arrays, from a builder or from a mapped model file. */
struct id_index {
    enum id_kind kind;
    uint32_t n_ids;
    const uint64_t *keys;  /* (n_ids), ID_U64 */
    const char *key_bytes; /* (key_offsets[n_ids]), ID_STRING */
    const uint64_t
        *key_offsets; /* (n_ids + 1), ID_STRING: key d is key_bytes[key_offsets[d] .. key_offsets[d + 1]) */
    const uint32_t *slots; /* (n_slots), unless ID_DENSE */
    uint32_t n_slots;      /* a power of two, unless ID_DENSE */
};

/* The dense id of an external one, or n_ids if it is unknown (the entry of the unknown id in every mapping).
 */
uint32_t id_index_find(const struct id_index *index, struct collide_id id);

/* The external id of dense id d < n_ids. Its text borrows from the index. */
struct collide_id id_index_key(const struct id_index *index, uint32_t d);

/* The text of an integer in [0, 2^64) without sign or leading zeros: true and its value, else false. */
bool id_parse_u64(const char *text, size_t n_bytes, uint64_t *out);

/* Gathers ids in the order of first sight. Owned by one thread. */
struct id_builder;

enum collide_status id_builder_create(struct id_builder **out, struct collide_error *err);
void id_builder_destroy(struct id_builder *b);

/* The provisional id (0, 1, 2... by first sight) of this text; a new one is copied. Two texts are the same id
 * only if they are the same bytes. After an error only destroy the builder. */
enum collide_status id_builder_add(struct id_builder *b, const char *text, size_t n_bytes, uint32_t *out,
                                   struct collide_error *err);

/* id_builder_add for each of n <= ID_BATCH texts in their order, several times as fast where the index is
 * larger than the cache. texts: (n), out: (n). */
enum { ID_BATCH = 64 };
enum collide_status id_builder_add_batch(struct id_builder *b, const struct collide_id *texts, size_t n,
                                         uint32_t *out, struct collide_error *err);

/* How many different ids were added. */
uint32_t id_builder_n_ids(const struct id_builder *b);

/* Numbers the ids anew: the one with the provisional id order[k] comes k-th. order: (how many there are),
 * each once; only id_builder_finish may follow. Dense integers stay their own numbers. */
enum collide_status id_builder_reorder(struct id_builder *b, const uint32_t *order,
                                       struct collide_error *err);

/* Decides the kind and gives the view, which borrows from the builder:
 *   - all ids integers, their largest below 2 * (how many there are) + 1024: ID_DENSE, n_ids = largest + 1;
 *   - all integers: ID_U64;
 *   - else ID_STRING, every id then as it was spelled.
 * An integer is what id_parse_u64 takes. renumber[provisional] = dense id, owned by the builder (the identity
 * unless ID_DENSE or reordered). Add nothing afterwards. */
enum collide_status id_builder_finish(struct id_builder *b, struct id_index *out, const uint32_t **renumber,
                                      struct collide_error *err);

/* Once renumber is not needed any more: frees it. */
void id_builder_forget_order(struct id_builder *b);

#endif
