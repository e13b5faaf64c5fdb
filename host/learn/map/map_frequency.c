#include "learn/map/head.h"

enum collide_status map_frequency(const struct mapping_problem *problem, struct id_mapping *mapping,
                                  struct collide_error *err)
{
    struct head head;
    enum collide_status status = head_create(problem, &head, err);
    if (status != COLLIDE_OK)
        return status;
    const uint32_t n_private = head.n_private, n_shared = mapping->n_rows - n_private;
    for (uint32_t rank = 0; rank < problem->n_ids; rank++) {
        uint32_t id = head.order[rank];
        mapping->rows_of[id] = rank < n_private ? rank : n_private + problem->dense_ids[id] % n_shared;
    }
    head_free(&head);
    return COLLIDE_OK;
}
