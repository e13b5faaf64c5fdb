/* Compositional codes (Shi et al. 2020): each part of an embedding has a table of its own and a hash into it.
 */
#include "learn/map/hashing.h"
#include "learn/map/id_mapping.h"

enum collide_status map_ce(const struct mapping_problem *problem, struct id_mapping *mapping,
                           struct collide_error *err)
{
    (void)err;
    const uint32_t n_codes = mapping->n_rows / mapping->n_parts;
    const struct hash_family family = {problem->seed, mapping->n_lookups, n_codes};
    uint32_t *row = mapping->rows_of;
    for (uint32_t i = 0; i < problem->n_ids; i++)
        for (uint32_t part = 0; part < mapping->n_parts; part++)
            *row++ = part * n_codes + hash_row(&family, problem->dense_ids[i], part);
    return COLLIDE_OK;
}
