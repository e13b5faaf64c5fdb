/* From ids to rows, as the kernels compute it. A model's spaces are numbered: items, users, then its
 * features. */
#ifndef MODEL_MAPPING_H
#define MODEL_MAPPING_H

#include "model/model.h"

enum { SPACE_ITEM, SPACE_USER, SPACE_FEATURES /* that of the first; the others follow */ };

static inline size_t model_n_spaces(const struct model *m)
{
    return SPACE_FEATURES + m->n_features;
}

static inline const struct space *model_space(const struct model *m, size_t space)
{
    return space == SPACE_ITEM   ? &m->item
           : space == SPACE_USER ? &m->user
                                 : &m->features[space - SPACE_FEATURES].space;
}

/* "item", "user" or the feature's name. */
const char *model_space_name(const struct model *m, size_t space);

/* Whether the space's ids have entries in the mapping. */
static inline bool model_space_is_embedded(const struct model *m, size_t space)
{
    return space != SPACE_USER || m->user_is_embedded;
}

/* Rows of each id of a space: the mapping's lookups, or fewer. */
static inline uint32_t space_n_lookups(const struct model *m, const struct space *space)
{
    return space->n_lookups ? space->n_lookups : m->mapping.n_lookups;
}

/* The entries of all embedded spaces are numbered through, each space's unknown id after its last one; this
 * is the number of a space's id 0. Of model_n_spaces: how many entries there are. */
uint64_t model_entry_base(const struct model *m, size_t space);

/* The row of an id of an embedded space; the unknown id is space->n_ids. space: one of m's own. Of a lookup
 * that the space does not have: the last row, which is zeros.
 *
 * Packed: entry e = id * space_n_lookups + lookup occupies the bits from e * bits on of the space's
 * little-endian words, low bits first. Where the space has rows of its own, first and n, the lookup's
 * codebook begins at row first + lookup * (n / space_n_lookups), and the row is so many behind that.
 *
 * Hashed, g being the id's number among the entries of all spaces:
 *
 *     x = g * n_lookups + lookup + 1 + seed * 0x9e3779b97f4a7c15        (mod 2^64)
 *     x = finaliser of splitmix64 (Steele, Lea and Flood 2014) of x
 *     row = first + ((x >> 32) * n >> 32)         first, n: the space's own rows; without, 0 and rows.n - 1
 *
 * Modulo: row = first + id mod n. Quotient: lookup 0 has row = first + id mod divisor, lookup 1 has row =
 * first + divisor + id div divisor. Both count ids within their own space; first and n as with hashes.
 *
 * Of a computed mapping, and where the space has rows of its own, an unknown id has row rows.n - 1, which so
 * belongs to the unknown ids alone. */
uint32_t model_row_of(const struct model *m, const struct space *space, uint32_t id, unsigned lookup);

/* How many rows an entry of a packed mapping chooses from: those of a codebook, or all. */
uint32_t mapping_n_choices(const struct model *m, const struct space *space);
/* What the row of a lookup is multiplied by: 1 unless the space says otherwise, 0 of one that it does not
 * have. */
float model_lookup_weight(const struct model *m, const struct space *space, uint32_t id, unsigned lookup);

/* Whether any embedded space weighs its lookups. */
bool model_has_lookup_weights(const struct model *m);

/* The bits that the largest row's number takes, at least 1. */
uint32_t mapping_bits(uint32_t n_rows);

/* How many words hold that many entries, the spare one at the end included. */
uint64_t mapping_n_words(uint64_t n_entries, uint32_t bits);

/* Packs entries, each below 2^bits; words: (mapping_n_words). */
void mapping_pack(const uint32_t *entries, uint64_t n_entries, uint32_t bits, uint32_t *words);

/* One of them. */
uint32_t mapping_unpack(const uint32_t *words, uint64_t entry, uint32_t bits);

#endif
