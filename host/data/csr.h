/* Lists of small integers, one list a row: users' histories. */
#ifndef DATA_CSR_H
#define DATA_CSR_H

#include "base/large_array.h"
#include "collide/status.h"

#include <stdbool.h>
#include <stdint.h>

struct csr {
    uint32_t n_rows;
    uint64_t *offsets; /* (n_rows + 1), owned: row r is values[offsets[r] .. offsets[r + 1]) */
    uint32_t *values;  /* (offsets[n_rows]) */
    struct large_array
        store; /* of the values; owned. What is made of these lists spills to the same folder */
};

/* offsets: (n_rows + 1) of 0; values: (n_values), to be filled, spilled to the folder spill unless that is
 * NULL, borrowed while *out lives. what: names the lists in messages. Returns owned. */
enum collide_status csr_allocate(uint32_t n_rows, uint64_t n_values, const char *spill, const char *what,
                                 struct csr *out, struct collide_error *err);

/* Gives back what is allocated beyond the values that there are. */
enum collide_status csr_trim(struct csr *c, struct collide_error *err);

void csr_free(struct csr *c);

/* Of rows of increasing values. */
bool csr_holds(const struct csr *c, uint32_t row, uint32_t value);

struct csr_pair {
    uint32_t row;
    uint32_t value;
};

struct csr_shape {
    uint32_t n_rows;
    uint32_t n_values; /* every value is below it */
};

/* Pairs being gathered; starts as {.array.spill = folder or NULL}. */
struct csr_pairs {
    struct large_array array; /* of struct csr_pair; owned */
    uint64_t n;
};

enum collide_status csr_pairs_add(struct csr_pairs *pairs, struct csr_pair pair, struct collide_error *err);
void csr_pairs_free(struct csr_pairs *pairs);

/* (pairs->n), borrowed until the next is added. */
static inline struct csr_pair *csr_pairs_all(const struct csr_pairs *pairs)
{
    return pairs->array.bytes;
}

/* Gathers pairs in any order, each within the shape, into rows of increasing values, without duplicates, in
 * linear time and in the place of the pairs: see data/pair_sort.h. Takes the pairs, on failure too. Returns
 * owned. */
enum collide_status csr_from_pairs(struct csr_pairs *pairs, struct csr_shape shape, struct csr *out,
                                   struct collide_error *err);

/* Which rows hold each value: out has n_values rows, of increasing values below c->n_rows. n_values: every
 * value of c is below it. Linear time; takes 8 bytes a value on the way. Returns owned. */
enum collide_status csr_transpose(const struct csr *c, uint32_t n_values, struct csr *out,
                                  struct collide_error *err);

#endif
