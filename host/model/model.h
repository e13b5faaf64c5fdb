/* A model in memory: what learn writes and what serving reads. docs/FORMAT.md describes the file.
 *
 *     emb(i)   = combine over l < n_lookups of lookup_weights[i][l] * row(map(i, l))
 *     bag(S)   = pool over i in S of  w_i * weights[i] * emb(i)
 *     score(c) = logit_scale * < bag, emb(c) > + bias[c]
 *
 * where S are ids of any space, w_i their request weights, and c is an item. Rows are combined to their sum,
 * their product, or several sums one after the other; only those of sums have weights.
 * A space's ids may share weights and biases by class. All spaces map into one table of rows. Each per-id
 * array has one entry more than there are ids: entry n_ids is the unknown id's. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "collide/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a row's values are stored. I4, I3, I2: from 0 on, value d in bits d * 4, 3 or 2 and up of the row, bit
 * k being bytes[k / 8] >> k % 8 & 1. Rows are whole bytes: widths are multiples of 2, 8 or 4. */
enum precision { PRECISION_F32, PRECISION_F16, PRECISION_I8, PRECISION_I4, PRECISION_I3, PRECISION_I2 };

/* What makes a row of the stored values q. */
enum scaling {
    SCALING_NONE,       /* q                                    f32, f16 */
    SCALING_ROW,        /* scales[r] * q                        i8 */
    SCALING_ROW_OFFSET, /* scales[r][0] * q + scales[r][1]      i8, i4, i3, i2; as halves */
    SCALING_DIM,        /* scales[d] * q[d]: "line rows", where 64 values take one cache line   i8 */
};

/* The largest dim that kernels are built for. */
enum { MODEL_MAX_DIM = 1024, MODEL_MAX_LOOKUPS = 16, MODEL_MAX_FEATURES = 64, MODEL_MAX_CLASS_BITS = 8 };

struct row_table {
    uint32_t n;     /* rows */
    uint32_t width; /* values in a row: dim / mapping_n_parts */
    enum precision precision;
    enum scaling scaling;
    const void *values; /* (n, width) of precision */
    const void *scales; /* by scaling: NULL | (n) f32 | (n, 2) f16 | (dim) f32 */
};

enum mapping_kind {
    MAPPING_STORED, /* remap: (n_ids + 1, space_n_lookups), each below rows.n */
    MAPPING_PACKED, /* the same entries of `bits` bits each, from the low bit of word 0 on, and a word more
                       than they need; into the space's codebooks where it has rows of its own */
    /* Computed, see model/mapping.h; no arrays. */
    MAPPING_HASHED,
    MAPPING_MODULO,   /* the hashing trick; one lookup */
    MAPPING_QUOTIENT, /* quotient-remainder (Shi 2020); two lookups */
};

static inline bool mapping_is_computed(enum mapping_kind kind)
{
    return kind != MAPPING_STORED && kind != MAPPING_PACKED;
}

/* CONCAT: the lookups come in n_parts groups; the rows of each are summed, the sums put side by side. */
enum combine { COMBINE_SUM, COMBINE_MULTIPLY, COMBINE_CONCAT };

/* How the ids of every space lead to rows. */
struct row_mapping {
    enum mapping_kind kind;
    enum combine combine;
    uint32_t n_lookups; /* rows an id; 1 .. MODEL_MAX_LOOKUPS */
    uint32_t n_parts;   /* concat: it divides n_lookups; 0: n_lookups. Else 0 or 1 */
    uint32_t bits;      /* packed: of an entry, 1 .. 32 */
    uint64_t seed;      /* hashed */
    uint32_t divisor;   /* quotient; at least 1 */
};

/* pool: sum; mean = sum / sum of |w_i * weights[i]|; normalised = sum / its Euclidean length; max of each
 * dimension. Of nothing: zero. */
enum pooling { POOLING_SUM, POOLING_MEAN, POOLING_NORMALISED, POOLING_MAX };

enum key_kind { KEYS_DENSE, KEYS_U64, KEYS_STRING };

/* How external ids become dense ones; see data/id_index.h. */
struct keys {
    enum key_kind kind;
    const uint64_t *u64;     /* (n_ids) */
    const char *bytes;       /* (offsets[n_ids]) */
    const uint64_t *offsets; /* (n_ids + 1) */
    const uint32_t *slots;   /* (n_slots) */
    uint32_t n_slots;
};

/* Rows of the table that a space's ids keep to, the last row, that of unknown ids, not among them. Packed
 * mappings cut them into a codebook a lookup: n is a multiple of n_lookups then. Never of stored mappings. */
struct own_rows {
    uint32_t first, n; /* n 0: the space has none of its own */
};

/* A class an id in place of a weight and a bias of its own; see model/id_values.h. */
struct id_classes {
    const uint32_t *words; /* a code an id, packed as mapping entries are; NULL: there are no classes */
    uint32_t bits;         /* of a code, 1 .. MODEL_MAX_CLASS_BITS; the same in all spaces with classes */
    const float *weights;  /* (2^bits) */
    const float *bias;     /* (2^bits) of items; NULL in other spaces */
};

/* Ids of one kind: items, users, or a feature such as "country". */
struct space {
    uint32_t n_ids;
    struct own_rows own_rows;
    struct keys keys;
    uint32_t n_lookups; /* rows of each id; 0: the mapping's. Fewer: stored or packed sums, and the last row
                           is zeros */
    const uint32_t *remap; /* by mapping_kind; NULL also where the space has no embedding (users often have
                              histories only) */
    const float *weights;  /* (n_ids + 1), or NULL: 1 for known ids, 0 for the unknown one */
    const float *lookup_weights; /* of sums: (n_ids + 1, space_n_lookups), what each row is multiplied by; or
                                    NULL: 1 */
    struct id_classes classes;   /* instead of weights, and of the model's bias */
};

/* The histories that the model stores for its users. */
struct stored_histories {
    const uint32_t *offsets; /* (n_users + 2): user u's is items[offsets[u] .. offsets[u + 1]); that of the
                                unknown user, n_users, is empty. NULL: none are stored */
    const uint32_t *items;   /* (offsets[n_users + 1]) each below item.n_ids */
};

struct feature {
    const char *name;
    struct space space;
};

/* Where the model came from; texts and numbers as they stand in the file's metadata, for people to read. */
struct provenance_entry {
    const char *name;
    const char *value;
};

struct model {
    uint32_t dim;
    enum pooling pooling;
    float logit_scale;
    struct row_table rows;
    struct row_mapping mapping;
    struct space item;
    const float *bias;     /* (item.n_ids + 1), or NULL: 0 */
    struct space user;     /* n_ids 0: the model knows no users */
    bool user_is_embedded; /* a query's user is part of its bag, beside the user's history */
    struct stored_histories histories;
    const struct feature *features; /* (n_features), all embedded */
    size_t n_features;
    const struct provenance_entry *provenance; /* (n_provenance) */
    size_t n_provenance;
};

/* Bits of a value. */
static inline uint32_t precision_bits(enum precision p)
{
    static const uint32_t bits[] = {[PRECISION_F32] = 32, [PRECISION_F16] = 16, [PRECISION_I8] = 8,
                                    [PRECISION_I4] = 4,   [PRECISION_I3] = 3,   [PRECISION_I2] = 2};
    return bits[p];
}

/* What rows must have a multiple of values of, to be whole bytes. */
static inline uint32_t precision_width_unit(enum precision p)
{
    const uint32_t bits = precision_bits(p), lowest = bits & -bits; /* the power of two in it */
    return lowest < 8 ? 8 / lowest : 1;
}

/* How many parts, each as long as a row, an embedding has. */
static inline uint32_t mapping_n_parts(const struct row_mapping *mapping)
{
    if (mapping->combine != COMBINE_CONCAT)
        return 1;
    return mapping->n_parts ? mapping->n_parts : mapping->n_lookups;
}

/* Lookups that make up one part: l is of part l / mapping_part_lookups. */
static inline uint32_t mapping_part_lookups(const struct row_mapping *mapping)
{
    return mapping->n_lookups / mapping_n_parts(mapping);
}

/* Bytes of one row's values. */
static inline size_t row_bytes(const struct row_table *rows)
{
    return (size_t)rows->width * precision_bits(rows->precision) / 8;
}

/* Bytes of a row's scale, or of its scale and offset, or of a dimension's scale. */
enum { SCALE_BYTES = 4 };

/* Bytes of all scales. */
static inline size_t row_scale_bytes(const struct model *m)
{
    const size_t n[] = {[SCALING_NONE] = 0,
                        [SCALING_ROW] = m->rows.n,
                        [SCALING_ROW_OFFSET] = m->rows.n,
                        [SCALING_DIM] = m->dim};
    return n[m->rows.scaling] * SCALE_BYTES;
}

static inline enum precision row_scale_precision(const struct row_table *rows)
{
    return rows->scaling == SCALING_ROW_OFFSET ? PRECISION_F16 : PRECISION_F32;
}

/* What the model's file says of how it was made; NULL: nothing under this name. Borrowed from the model. */
const char *model_provenance(const struct model *m, const char *name);

const char *precision_name(enum precision p);
const char *pooling_name(enum pooling p);
const char *scaling_name(enum scaling s);
const char *mapping_kind_name(enum mapping_kind k);
const char *combine_name(enum combine c);
const char *key_kind_name(enum key_kind k);

#endif
