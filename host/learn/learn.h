/* The offline half: from an interaction log to a model ready to be written.
 *
 *   - teacher: a row for every item, trained on the log (methods that learn their mapping);
 *   - mapping: items to rows, by the method;
 *   - training of the rows, through the mapping;
 *   - storing: rows normalised and quantised, their lengths put into the items' bag weights.
 *
 * A user is the bag of its history over the same rows that are scored: there is no table of users. */
#ifndef LEARN_LEARN_H
#define LEARN_LEARN_H

#include "data/interactions.h"
#include "learn/map/method.h"
#include "learn/store/quantize.h"
#include "learn/train/training.h"
#include "model/model.h"

enum histories { HISTORIES_MODEL, HISTORIES_NONE };

struct learn_options {
    enum learn_method method;
    uint32_t n_rows; /* trained rows; the unknown id's zero row comes on top. LEARN_FULL ignores it */
    uint32_t dim;
    enum row_form form;
    enum mapping_kind mapping; /* MAPPING_STORED or MAPPING_PACKED */
    enum histories histories;  /* whether the model keeps users and their histories */
    const struct csr *val;     /* held-out items by the log's dense ids, to measure on; or NULL. Borrowed */
    uint64_t seed;
    unsigned n_threads; /* 0: one for every CPU */
    struct training training;
};

/* lhf, i8, 64 dimensions, a stored mapping, histories kept, training_default(); n_rows is left 0, to be
 * given. */
struct learn_options learn_options_default(void);

struct learned;

/* Trains a model. The same log, options and number of threads give the same model, bit for bit, on the same
 * kind of machine. With as many rows as items that occur, or more, every method is LEARN_FULL, and the log
 * says so. Items that no user has (gaps in dense ids) become unknown items.
 *
 * *out is returned owned and borrows train's ids and histories until learned_destroy. COLLIDE_INVALID:
 * options out of range, no user with two items or more, training diverged. Sets OpenBLAS to one thread of its
 * own, for the whole process. */
enum collide_status learn_model(const struct interactions *train, const struct learn_options *options,
                                struct learned **out, struct collide_error *err);
void learned_destroy(struct learned *l);

/* Borrowed from l, until learned_destroy. */
const struct model *learned_model(const struct learned *l);

#endif
