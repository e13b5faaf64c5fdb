#include "learn/map/id_weights.h"

#include <math.h>

void id_weights(const struct mapping_problem *problem, float *weights)
{
    for (uint32_t i = 0; i < problem->n_ids; i++)
        weights[i] = sqrtf((float)problem->counts[i] + 1.0f);
}
