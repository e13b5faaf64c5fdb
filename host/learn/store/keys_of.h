/* The keys of a log's ids as models have them. */
#ifndef LEARN_KEYS_OF_H
#define LEARN_KEYS_OF_H

#include "data/id_index.h"
#include "model/model.h"

/* Borrows the index's arrays. */
static inline struct keys keys_of(const struct id_index *index)
{
    static const enum key_kind kinds[] = {
        [ID_DENSE] = KEYS_DENSE, [ID_U64] = KEYS_U64, [ID_STRING] = KEYS_STRING};
    return (struct keys){.kind = kinds[index->kind],
                         .u64 = index->keys,
                         .bytes = index->key_bytes,
                         .offsets = index->key_offsets,
                         .slots = index->slots,
                         .n_slots = index->n_slots};
}

#endif
