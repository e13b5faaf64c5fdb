/* Hash embeddings (Svenstrup et al. 2017): hashed rows that each id weighs, here by weights of its own rather
 * than hashed ones. They start as large as the values of a row: Adam's steps, the same for both, then turn
 * both as fast. */
#include "learn/map/id_mapping.h"

#include <math.h>

enum collide_status map_hashemb(const struct mapping_problem *problem, struct id_mapping *mapping,
                                struct collide_error *err)
{
    const size_t n_entries = (size_t)mapping->n_ids * mapping->n_lookups;
    for (size_t e = 0; e < n_entries; e++)
        mapping->lookup_weights[e] = 1.0f / sqrtf((float)mapping->width);
    return map_hash(problem, mapping, err);
}
