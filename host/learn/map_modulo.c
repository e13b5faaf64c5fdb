#include "learn/item_mapping.h"

enum collide_status map_modulo(const struct mapping_problem *problem, struct mapping *mapping,
                               struct collide_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < problem->corpus->n_items; i++)
        mapping->row_of_item[i] = problem->corpus->dense_ids[i] % problem->n_rows;
    return COLLIDE_OK;
}
