/* Training rows and biases through a mapping: Adam on what each batch touches. */
#ifndef LEARN_TRAINER_H
#define LEARN_TRAINER_H

#include "base/parallel.h"
#include "learn/corpus.h"
#include "learn/training.h"

struct trainer_problem {
    const struct corpus *corpus; /* with at least one user; borrowed, as row_of_item is */
    const uint32_t *row_of_item; /* (n_items), each below n_rows */
    uint32_t n_rows;
    uint32_t dim;
    struct training training;
    uint64_t seed;
};

struct trainer;

/* Rows start as random directions of length 1, biases at 0. Borrows the team too. Returns owned. */
enum collide_status trainer_create(const struct trainer_problem *problem, struct parallel *team,
                                   struct trainer **out, struct collide_error *err);
void trainer_destroy(struct trainer *t);

/* Borrowed until trainer_destroy; may be written before a run. */
float *trainer_rows(struct trainer *t); /* (n_rows, dim) */
float *trainer_bias(struct trainer *t); /* (n_items) */

/* n_epochs over all users, the learning rate falling along a cosine to a hundredth. The loss, in nats a
 * target, is that of the last epoch. Fails if anything stops being finite. */
enum collide_status trainer_run(struct trainer *t, uint32_t n_epochs, const char *label, double *loss,
                                struct collide_error *err);

#endif
