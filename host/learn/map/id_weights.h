/* How much each id weighs where vectors are clustered: by how often it is read. */
#ifndef LEARN_ID_WEIGHTS_H
#define LEARN_ID_WEIGHTS_H

#include "learn/map/id_mapping.h"

/* weights[i] = (counts[i] + 1)^1/2, or 1 with SIGNALS_EMBEDDING; weights: (n_ids). */
void id_weights(const struct mapping_problem *problem, float *weights);

#endif
