/* How well a model ranks held-out items. */
#ifndef LEARN_EVALUATE_H
#define LEARN_EVALUATE_H

#include "base/parallel.h"
#include "data/csr.h"
#include "model/model.h"

/* All lists have a row for every user and hold item ids of the model; all borrowed. */
struct evaluation {
    const struct csr *histories; /* what a user's query is the bag of; never recommended again */
    const struct csr *masked;    /* further items not to recommend, or NULL */
    const struct csr *relevant;  /* held-out items; users without any are not counted */
    uint32_t cutoff;             /* K, 1 .. EVALUATION_MAX_CUTOFF */
};

enum { EVALUATION_MAX_CUTOFF = 1000 };

/* Averages over the users counted, as base/ranking.h defines them. The candidates are all items; of equal
 * scores the smaller id comes first. */
struct quality {
    uint32_t n_users;
    double recall;
    double ndcg;
};

/* For models with POOLING_NORMALISED. Queries are the bags of the users' histories, unless the model has
 * users' embeddings, where a query is that of the user, with the history too if the model stores such. The
 * same on any number of threads, up to the rounding of the products. Sets OpenBLAS to one thread of its own,
 * for the whole process.
 */
enum collide_status evaluate_model(const struct model *model, const struct evaluation *evaluation,
                                   struct parallel *team, struct quality *out, struct collide_error *err);

#endif
