#include "learn/map/id_mapping.h"

enum collide_status map_full(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < problem->n_ids; i++)
        mapping->rows_of[i] = i;
    return COLLIDE_OK;
}
