/* The offline half: from an interaction log to a model ready to be written.
 *
 *   - teacher: a row for every item, trained on the log (methods that learn their mapping);
 *   - mapping: items to rows, by the method;
 *   - training of the rows, through the mapping, a user being the bag of its history over them;
 *   - users, if they are to have rows of their own: the bags of all users are mapped as the items were, and
 *     users and items trained on together;
 *   - storing: rows quantised, ids mapped to them.
 *
 * Where there are held-out interactions, quality is measured on them on the way, and each stage of training
 * ends with the best parameters that were measured.
 */
#ifndef LEARN_LEARN_H
#define LEARN_LEARN_H

#include "data/interactions.h"
#include "learn/map/method.h"
#include "learn/store/quantize.h"
#include "learn/train/training.h"
#include "model/model.h"

/* What the model has of the rows that its ids read. */
enum mapping_entries {
    ENTRIES_STORED,   /* a number of 32 bits a lookup */
    ENTRIES_PACKED,   /* as many bits as it needs */
    ENTRIES_COMPUTED, /* nothing: kernels compute them. Of methods that hash, fold or divide ids, and without
                         rows for users; rows stand in the method's order */
    ENTRIES_AUTO,     /* computed where that can be and fewer rows than ids are asked for, else packed */
};

/* "stored"... by enum mapping_entries, and a NULL at the end. */
extern const char *const mapping_entries_names[];

enum histories { HISTORIES_MODEL, HISTORIES_NONE };

/* How the ids of a space get rows. */
struct space_plan {
    enum learn_method method;
    uint32_t n_rows; /* of dim values; the unknown ids' zero row comes on top. LEARN_FULL ignores it */
    struct method_settings settings;
};

struct learn_options {
    struct space_plan items;
    struct space_plan users; /* unless the backbone is BACKBONE_BAG */
    uint32_t dim;
    enum row_form form;
    uint32_t scalar_bits;         /* that an item's weight and bias share, 1 .. 8; 0: both are floats */
    enum mapping_entries mapping; /* with a budget not ENTRIES_COMPUTED: it chooses among other methods */
    uint64_t budget_bytes;        /* choose all of the above but dim, see learn/budget.h; 0: they are given */
    enum histories histories;     /* whether the model keeps users' histories; not with BACKBONE_USER */
    const struct csr *val; /* held-out items by the log's dense ids, to measure on; or NULL. Borrowed */
    /* This share of the log is held out instead of val and not trained on, see learn/hold_out.h; 0: none. A
     * budget is spent by it; the model that is chosen is trained on the whole log then. */
    double hold_out;
    uint32_t patience;      /* ends a stage after so many measurements without a better one; 0: never */
    const char *checkpoint; /* the folder of a checkpoint to go on from and to write; or NULL. Borrowed */
    uint64_t seed;
    unsigned n_threads; /* 0: one for every CPU */
    struct training training;
};

/* lhf, i8, 64 dimensions, a stored mapping, histories kept, a patience of 5, training_default(); n_rows are
 * left 0, to be given.
 * Half of a stage without a better measurement: as the learning rate falls, quality often stands still for
 * two or three of ten measurements before it rises again. */
struct learn_options learn_options_default(void);

struct learned;

/* Trains a model. The same log, options and number of threads give the same model, bit for bit, on the same
 * kind of machine. With as many rows as ids that occur, or more, every method is LEARN_FULL, and the log
 * says so, unless its mapping is computed. A checkpoint of the same run that was cut short makes no
 * difference to the model; it is left for the caller to remove once the model is safe, see
 * learn/checkpoint.h. Items that no user has (gaps in dense ids) become unknown items.
 *
 * *out is returned owned and borrows train's ids and histories until learned_destroy. COLLIDE_INVALID:
 * options out of range, no user with two items or more, training diverged, a checkpoint of another run. Sets
 * OpenBLAS to one thread of its own, for the whole process. */
enum collide_status learn_model(const struct interactions *train, const struct learn_options *options,
                                struct learned **out, struct collide_error *err);
void learned_destroy(struct learned *l);

/* Learning several models from one log. What does not depend on how ids are mapped is done once: the teacher
 * is trained when a model first needs it. */
struct learner;

/* What all models have in common is taken from these options: dim, seed, n_threads, training, patience and
 * what is held out. A checkpoint, or hold_out together with a budget, is for a learner of a single model.
 * Borrows train and val while it lives. As learn_model otherwise. Returns owned. */
enum collide_status learner_create(const struct interactions *train, const struct learn_options *options,
                                   struct learner **out, struct collide_error *err);
void learner_destroy(struct learner *l);

/* The model of learn_model, bit for bit, with the other options. *out does not borrow from the learner.
 * *seconds: what it would have taken alone, its teacher counted where it has one; may be NULL. */
enum collide_status learner_learn(struct learner *l, const struct learn_options *options,
                                  struct learned **out, double *seconds, struct collide_error *err);

/* What serving the model of these options will take, see model/cost.h. COLLIDE_INVALID: its plans are none
 * that their methods allow. Trains nothing. */
enum collide_status learner_bytes(const struct learner *l, const struct learn_options *options, uint64_t *out,
                                  struct collide_error *err);

/* Gives the plans in *options the most rows with which the model takes max_bytes for all that serving needs,
 * see learn/budget.h. */
enum collide_status learner_fit_rows(const struct learner *l, uint64_t max_bytes,
                                     struct learn_options *options, struct collide_error *err);

/* Borrowed from l, until learned_destroy. */
const struct model *learned_model(const struct learned *l);

#endif
