/* Training rows and biases through mappings: Adam on what each batch touches. */
#ifndef LEARN_TRAINER_H
#define LEARN_TRAINER_H

#include "base/parallel.h"
#include "learn/map/id_mapping.h"
#include "learn/store/classes.h"
#include "learn/train/corpus.h"
#include "learn/train/objective.h"
#include "learn/train/training.h"
#include "learn/train/training_state.h"

/* All borrowed. */
struct trainer_problem {
    const struct corpus *corpus; /* with at least one user */
    const struct id_mapping
        *items; /* of all of the corpus' items; training may move them among its open rows */
    const struct id_mapping *users; /* of all of its users; NULL with BACKBONE_BAG */
    uint32_t dim;
    enum item_lengths item_lengths;
    uint32_t row_bits; /* that rows are to be stored with, see embedder.h */
    /* How items are to share weights and biases: then they are read in training as if they did, by classes
     * fitted before each epoch, and the biases' gradients pass through. */
    struct class_sharing sharing;
    struct training training;
    uint64_t seed;
};

struct trainer;

/* Biases start at 0, rows as embedder.h says. Borrows the team too. Returns owned. */
enum collide_status trainer_create(const struct trainer_problem *problem, struct parallel *team,
                                   struct trainer **out, struct collide_error *err);
void trainer_destroy(struct trainer *t);

/* Borrowed until trainer_destroy; may be written before a run. */
float *trainer_rows(struct trainer *t);                /* of the items' mapping */
float *trainer_user_rows(struct trainer *t);           /* of the users' mapping; NULL without one */
float *trainer_bias(struct trainer *t);                /* (n_items) */
float *trainer_lookup_weights(struct trainer *t);      /* of the items' mapping; NULL if it has none */
float *trainer_user_lookup_weights(struct trainer *t); /* of the users'; NULL if there are none */

/* Items' rows and biases are those of another trainer with the same mapping of items. */
void trainer_start_from(struct trainer *t, struct trainer *other);

/* What goes on from one epoch to the next, in a fixed order of parts; borrowed from t. With STATE_ALL that is
 * everything: a trainer of the same problem that these bytes are copied into goes on as this one would. */
void trainer_state(struct trainer *t, enum state_extent extent, struct training_state *out);

enum epoch_verdict { EPOCHS_GO_ON, EPOCHS_END };

/* Asked after every epoch, the last one too; may look at all that is in training, and at the state. */
struct epoch_watcher {
    enum collide_status (*after_epoch)(void *context, uint32_t n_done, double loss,
                                       enum epoch_verdict *verdict, struct collide_error *err);
    void *context;
};

/* n_epochs, or none, over all users of two items or more (of one, where users are rows alone), the learning
 * rate falling along a cosine to a hundredth. A trainer whose state is that of a run of n_epochs that was cut
 * short does what is left of it. The loss, in nats a target, is that of the last epoch. Fails if anything
 * stops being finite, or the watcher (NULL: none) does. */
enum collide_status trainer_run_watched(struct trainer *t, uint32_t n_epochs, const char *label,
                                        const struct epoch_watcher *watcher, double *loss,
                                        struct collide_error *err);

/* The same, unwatched. */
enum collide_status trainer_run(struct trainer *t, uint32_t n_epochs, const char *label, double *loss,
                                struct collide_error *err);

#endif
