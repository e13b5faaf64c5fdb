/* One stage of learning: a trainer's run, on the way of which quality is measured on held-out interactions,
 * the best parameters are kept, and the state is written to a checkpoint after every epoch. */
#ifndef LEARN_STAGE_H
#define LEARN_STAGE_H

#include "base/parallel.h"
#include "learn/checkpoint.h"
#include "learn/learn.h"
#include "learn/train/trainer.h"

/* What goes along with all stages of a run; all borrowed. */
struct oversight {
    struct checkpoint *checkpoint; /* or NULL */
    const struct csr *judges;      /* held-out items, of some users only; or NULL: nothing is measured */
    const struct csr *histories;   /* what their queries are the bags of */
    uint32_t patience; /* ends a stage after so many measurements without a better one; 0: never */
    struct parallel *team;
};

/* All borrowed. */
struct stage {
    const char *name; /* also that of its arrays in the checkpoint, of at most 8 characters */
    uint32_t n_epochs;
    struct trainer *trainer; /* new */
    /* The model of the parameters as they are in training, for measuring; returns owned. */
    enum collide_status (*assemble)(void *context, struct learned **out, struct collide_error *err);
    void *context;
};

/* Whether the checkpoint is one of this stage: earlier ones need not be run. oversight may be NULL. */
bool stage_is_begun(const struct oversight *oversight, const char *name);

/* Goes on from the checkpoint where that is of this stage. With judges, recall@10 on them is measured ten
 * times or so, and the trainer has the parameters of the best measurement in the end, and *loss is that of
 * then. oversight NULL: a plain run. */
enum collide_status stage_run(const struct stage *stage, const struct oversight *oversight, double *loss,
                              struct collide_error *err);

#endif
