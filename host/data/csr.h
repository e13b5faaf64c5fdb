/* Lists of small integers, one list a row: users' histories. */
#ifndef DATA_CSR_H
#define DATA_CSR_H

#include "collide/status.h"

#include <stdint.h>

struct csr {
    uint32_t n_rows;
    uint64_t *offsets; /* (n_rows + 1), owned: row r is values[offsets[r] .. offsets[r + 1]) */
    uint32_t *values;  /* (offsets[n_rows]), owned */
};

void csr_free(struct csr *c);

struct csr_pair {
    uint32_t row;
    uint32_t value;
};

struct csr_shape {
    uint32_t n_rows;
    uint32_t n_values; /* every value is below it */
};

/* Gathers pairs in any order into rows of increasing values, without duplicates, in linear time.
 * pairs: (n_pairs), each within the shape. Takes pairs, which must come from malloc: they are freed as soon
 * as they have been read, on failure too, so that the peak is 12 bytes a pair besides the offsets. */
enum collide_status csr_from_pairs(struct csr_pair *pairs, uint64_t n_pairs, struct csr_shape shape,
                                   struct csr *out, struct collide_error *err);

/* Which rows hold each value: out has n_values rows, of increasing values below c->n_rows. n_values: every
 * value of c is below it. Linear time. Returns owned. */
enum collide_status csr_transpose(const struct csr *c, uint32_t n_values, struct csr *out,
                                  struct collide_error *err);

#endif
