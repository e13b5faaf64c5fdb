/* A model in memory: what learn writes and what serving reads. docs/FORMAT.md describes the file.
 *
 *     bag(S)   = pool over i in S of  w_i * weights[i] * row(remap[i])   (S: item ids, w_i: request weights)
 *     score(i) = logit_scale * < bag, row(remap[i]) > + bias[i]
 *     row(r)   = rows[r], times scales[r] if the rows are i8
 *
 * Each per-id array has one entry more than there are ids: entry n_ids is the unknown id's. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "collide/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum precision { PRECISION_F32, PRECISION_F16, PRECISION_I8 };

/* The largest dim that kernels are built for. */
enum { MODEL_MAX_DIM = 1024 };

/* pool: sum; mean = sum / sum of |w_i * weights[i]|; normalised = sum / its Euclidean length. Of nothing:
 * zero. */
enum pooling { POOLING_SUM, POOLING_MEAN, POOLING_NORMALISED };

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

struct item_space {
    uint32_t n_ids;
    uint32_t n_rows;
    enum precision precision;
    struct keys keys;
    const uint32_t *remap; /* (n_ids + 1), each below n_rows */
    const void *rows;      /* (n_rows, dim) of precision */
    const float *scales;   /* (n_rows) for i8, else NULL */
    const float *weights;  /* (n_ids + 1), or NULL: 1 for known ids, 0 for the unknown one */
    const float *bias;     /* (n_ids + 1), or NULL: 0 */
};

struct user_space {
    uint32_t n_ids; /* 0: the model knows no users */
    struct keys keys;
    const uint32_t *offsets; /* (n_ids + 2): user u's history is history[offsets[u] .. offsets[u + 1]); that
                                of the unknown user, n_ids, is empty */
    const uint32_t *history; /* (offsets[n_ids + 1]) item ids, each below item.n_ids */
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
    struct item_space item;
    struct user_space user;
    const struct provenance_entry *provenance; /* (n_provenance) */
    size_t n_provenance;
};

/* Bytes of one row's values. */
static inline size_t model_row_bytes(const struct model *m)
{
    static const size_t bytes[] = {[PRECISION_F32] = 4, [PRECISION_F16] = 2, [PRECISION_I8] = 1};
    return m->dim * bytes[m->item.precision];
}

const char *precision_name(enum precision p);
const char *pooling_name(enum pooling p);
const char *key_kind_name(enum key_kind k);

#endif
