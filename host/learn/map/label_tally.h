/* Sums by label, over a node's neighbours: a dense array of which only what was touched is cleared. */
#ifndef LEARN_LABEL_TALLY_H
#define LEARN_LABEL_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct label_tally {
    double *sums;      /* (n_labels) all 0 when cleared, owned */
    uint32_t *touched; /* (n_labels) of which the first n_touched have sums, owned */
    uint32_t n_touched;
};

/* Whether there was memory. */
static inline bool label_tally_create(struct label_tally *t, uint32_t n_labels)
{
    *t = (struct label_tally){.sums = calloc(n_labels + 1ull, sizeof *t->sums),
                              .touched = malloc((n_labels + 1ull) * sizeof *t->touched)};
    return t->sums && t->touched;
}

static inline void label_tally_free(struct label_tally *t)
{
    free(t->sums);
    free(t->touched);
}

/* amount > 0 */
static inline void label_tally_add(struct label_tally *t, uint32_t label, double amount)
{
    if (!(t->sums[label] > 0.0))
        t->touched[t->n_touched++] = label;
    t->sums[label] += amount;
}

static inline void label_tally_clear(struct label_tally *t)
{
    for (uint32_t k = 0; k < t->n_touched; k++)
        t->sums[t->touched[k]] = 0.0;
    t->n_touched = 0;
}

#endif
