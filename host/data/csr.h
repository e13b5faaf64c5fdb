/* Lists of small integers, one list a row: users' histories. */
#ifndef DATA_CSR_H
#define DATA_CSR_H

#include <stdint.h>

struct csr {
    uint32_t n_rows;
    uint64_t *offsets; /* (n_rows + 1), owned: row r is values[offsets[r] .. offsets[r + 1]) */
    uint32_t *values;  /* (offsets[n_rows]), owned */
};

void csr_free(struct csr *c);

#endif
