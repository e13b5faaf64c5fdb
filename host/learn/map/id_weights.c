#include "learn/map/id_weights.h"

#include <math.h>

void id_weights(const struct mapping_problem *problem, float *weights)
{
    const bool by_count = problem->settings.signals != SIGNALS_EMBEDDING;
    for (uint32_t i = 0; i < problem->n_ids; i++)
        weights[i] = by_count ? sqrtf((float)problem->counts[i] + 1.0f) : 1.0f;
}
