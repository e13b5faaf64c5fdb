/* Putting trained parameters into the form in which models are stored and served. */
#ifndef LEARN_ASSEMBLE_H
#define LEARN_ASSEMBLE_H

#include "learn/corpus.h"
#include "learn/learn.h"

/* All borrowed. */
struct trained {
    const struct corpus *corpus;
    const uint32_t *row_of_item; /* (n_items) */
    const float *rows;           /* (n_rows, dim) as trained, of any length */
    const float *bias;           /* (n_items) */
    uint32_t n_rows;
    uint32_t dim;
    float temperature;
};

/* A model with everything but provenance:
 * rows of length 1, with one more of zeros at the end; weights[id] = the corpus weight times the row's length
 * before; logit_scale = 1 / temperature. The unknown id, and ids that no user has: the zero row, weight 0,
 * the lowest bias. Returns owned; borrows log as learn_model says. */
enum collide_status learned_create(const struct interactions *log, const struct trained *trained,
                                   const struct learn_options *options, struct learned **out,
                                   struct collide_error *err);

/* Adds a line of provenance, 32 at most; name is static, the value formatted and copied, up to 63 bytes of
 * it. */
void learned_note(struct learned *l, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
