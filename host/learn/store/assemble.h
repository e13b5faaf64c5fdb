/* Putting trained parameters into the form in which models are stored and served. */
#ifndef LEARN_ASSEMBLE_H
#define LEARN_ASSEMBLE_H

#include "learn/learn.h"
#include "learn/train/corpus.h"

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
 * rows of length 1 in the form asked for, those with the most interactions first (of equals in their old
 * order), and one of zeros at the end; weights[id] = the corpus weight times the trained row's length over
 * the stored one's, so that terms of bags have the length that they were trained with; logit_scale =
 * 1 / temperature. What is left of a form's error is a row's direction, and, where the form does not restore
 * lengths (i8-line), that candidates' products are scaled by the stored row's length. The unknown id, and ids
 * that no user has: the zero row, weight 0, the lowest bias. Returns owned; borrows log as learn_model
 * says. */
enum collide_status learned_create(const struct interactions *log, const struct trained *trained,
                                   const struct learn_options *options, struct learned **out,
                                   struct collide_error *err);

/* Adds a line of provenance, 32 at most; name is static, the value formatted and copied, up to 63 bytes of
 * it. */
void learned_note(struct learned *l, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
