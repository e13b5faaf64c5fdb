/* Users as the bags of their histories. */
#ifndef LEARN_USER_BAGS_H
#define LEARN_USER_BAGS_H

#include "base/parallel.h"
#include "learn/train/corpus.h"

/* out[u] = normalise( sum over u's items i of weights[i] * items[i] ): what a query of all of a user's
 * history is. items: (n_items, dim); out: (histories.n_rows, dim), the caller's. */
void user_bags(const struct corpus *corpus, const float *items, uint32_t dim, struct parallel *team,
               float *out);

#endif
