/* Parameters in rows, each with its moments, for Adam on the rows that a batch touches. */
#ifndef LEARN_ADAM_TABLE_H
#define LEARN_ADAM_TABLE_H

#include "learn/train/training_state.h"

#include <stdint.h>

struct adam_table {
    size_t n, width;
    float *x, *m, *v;  /* (n, width) each */
    uint32_t *n_steps; /* (n) */
};

/* All zero. False: out of memory, and there is nothing to free. */
bool adam_table_create(struct adam_table *a, size_t n, size_t width);
void adam_table_free(struct adam_table *a);

/* Its part of a state, as owner.x and so on; an empty table has none. */
void adam_table_state(struct adam_table *a, enum state_extent extent, const char *owner,
                      struct training_state *out);

/* Different rows may be stepped at the same time. */
void adam_table_step(struct adam_table *a, uint32_t row, float rate, const float *gradient);

#endif
