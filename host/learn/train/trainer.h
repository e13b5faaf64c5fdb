/* Training rows and biases through mappings: Adam on what each batch touches. */
#ifndef LEARN_TRAINER_H
#define LEARN_TRAINER_H

#include "base/parallel.h"
#include "learn/map/id_mapping.h"
#include "learn/train/corpus.h"
#include "learn/train/objective.h"
#include "learn/train/training.h"

/* All borrowed. */
struct trainer_problem {
    const struct corpus *corpus;    /* with at least one user */
    const struct id_mapping *items; /* of all of the corpus' items */
    const struct id_mapping *users; /* of all of its users; NULL with BACKBONE_BAG */
    uint32_t dim;
    enum item_lengths item_lengths;
    uint32_t row_bits; /* that rows are to be stored with, see embedder.h */
    struct training training;
    uint64_t seed;
};

struct trainer;

/* Biases start at 0, rows as embedder.h says. Borrows the team too. Returns owned. */
enum collide_status trainer_create(const struct trainer_problem *problem, struct parallel *team,
                                   struct trainer **out, struct collide_error *err);
void trainer_destroy(struct trainer *t);

/* Borrowed until trainer_destroy; may be written before a run. */
float *trainer_rows(struct trainer *t);           /* of the items' mapping */
float *trainer_user_rows(struct trainer *t);      /* of the users' mapping; NULL without one */
float *trainer_bias(struct trainer *t);           /* (n_items) */
float *trainer_lookup_weights(struct trainer *t); /* of the items' mapping; NULL if it has none */

/* Items' rows and biases are those of another trainer with the same mapping of items. */
void trainer_start_from(struct trainer *t, struct trainer *other);

/* n_epochs, or none, over all users, the learning rate falling along a cosine to a hundredth. The loss, in nats a
 * target, is that of the last epoch. Fails if anything stops being finite. */
enum collide_status trainer_run(struct trainer *t, uint32_t n_epochs, const char *label, double *loss,
                                struct collide_error *err);

#endif
