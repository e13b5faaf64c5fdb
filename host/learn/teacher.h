/* A row for every item, trained on the log: what methods learn their mapping from. */
#ifndef LEARN_TEACHER_H
#define LEARN_TEACHER_H

#include "learn/attempt.h"

struct teacher {
    float *rows; /* (n_items, dim) as they were trained, each item its own; owned */
    float *bias; /* (n_items); owned */
    double loss; /* in nats a target */
};

/* name: of the stage, see learn/stage.h. What the groundwork's checkpoint has of it is not trained again, and
 * it is kept there until the teacher is freed. The groundwork needs no teacher. */
enum collide_status teacher_train(const struct groundwork *ground, const struct learn_options *options,
                                  const char *name, struct teacher *out, struct collide_error *err);
void teacher_free(struct teacher *t);

#endif
