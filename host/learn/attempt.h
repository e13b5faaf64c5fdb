/* One way to compress, tried: ids mapped, rows trained, a model put together. */
#ifndef LEARN_ATTEMPT_H
#define LEARN_ATTEMPT_H

#include "base/parallel.h"
#include "learn/learn.h"
#include "learn/stage.h"
#include "learn/store/assemble.h"
#include "learn/train/corpus.h"

/* What all attempts start from; all borrowed. */
struct groundwork {
    const struct interactions *log; /* whose ids and histories a model gets */
    const struct csr *histories;    /* the part of them that is trained on */
    const struct corpus *corpus;    /* likewise */
    const float *teacher;           /* (n_items, dim) rows as they were trained, each item its own; or NULL */
    const float *teacher_bias;      /* (n_items), or NULL */
    enum item_scalars scalars;      /* that models will have */
    struct parallel *team;
    const struct oversight *oversight; /* of training; or NULL */
};

struct attempt;

/* options->items and users must be settled: with LEARN_FULL, rows for all ids. Methods with a teacher need
 * one in the groundwork; LEARN_FULL starts from it where there is one. Mappings and training go on from the
 * groundwork's checkpoint, which borrows them until attempt_destroy. Untrained, with an epoch count of 0,
 * rows are as the mapping has them. Borrows both while it lives. Returns owned. */
enum collide_status attempt_create(const struct groundwork *groundwork, const struct learn_options *options,
                                   struct attempt **out, struct collide_error *err);
void attempt_destroy(struct attempt *a);

/* In nats a target, of the last epoch; 0: untrained. */
double attempt_loss(const struct attempt *a);

/* The rows that mappings came to have. */
uint32_t attempt_n_rows(const struct attempt *a);
uint32_t attempt_n_user_rows(const struct attempt *a);

/* With provenance still to be noted. Returns owned; borrows the log, not the attempt. */
enum collide_status attempt_assemble(struct attempt *a, struct learned **out, struct collide_error *err);

#endif
