/* Embeddings that were trained elsewhere: what is to be compressed. Ids are dense: row i is that of id i. */
#ifndef LEARN_EMBEDDING_TABLES_H
#define LEARN_EMBEDDING_TABLES_H

#include "collide/status.h"

#include <stdint.h>

struct embedding_tables {
    uint32_t n_items, n_users; /* n_users 0: there is no table of users */
    uint32_t dim;
    float *items;     /* (n_items, dim) owned, as the others */
    float *users;     /* (n_users, dim), or NULL */
    float *bias;      /* (n_items), or NULL */
    uint32_t *counts; /* (n_items): how often each is read; all 1 where nothing is known */
};

/* Each a .npy file, a .safetensors file, or FILE:TENSOR of one, see numbers.h; all but the first may be NULL.
 */
struct embedding_files {
    const char *items;       /* 2-D floats */
    const char *users;       /* likewise, as wide */
    const char *bias;        /* 1-D floats, an item each */
    const char *frequencies; /* 1-D numbers, an item each, 0 or above. Unless all are whole and below 2^32
                                they are scaled, so that the largest becomes 2^24, and rounded */
};

/* COLLIDE_INVALID: a value that is not finite, or too large for floats to multiply, says which; sizes that
 * are 0, too large or do not go together. As numbers_open otherwise. Returns owned. */
enum collide_status embedding_tables_read(const struct embedding_files *files, struct embedding_tables *out,
                                          struct collide_error *err);
void embedding_tables_free(struct embedding_tables *t);

#endif
