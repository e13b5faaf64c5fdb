/* Double hashing for all but the most frequent ids (Zhang et al. 2020). Every id has two lookups: those of a
 * frequent one are both its own row, which is then half as long for the same embedding. */
#include "learn/map/hashing.h"
#include "learn/map/head.h"

enum collide_status map_hybrid(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err)
{
    struct head head;
    enum collide_status status = head_create(problem, &head, err);
    if (status != COLLIDE_OK)
        return status;
    const uint32_t n_private = head.n_private, n_lookups = mapping->n_lookups;
    const struct hash_family family = {problem->seed, n_lookups, mapping->n_rows - n_private};
    for (uint32_t rank = 0; rank < problem->n_ids; rank++) {
        uint32_t id = head.order[rank], *rows = mapping->rows_of + (size_t)id * n_lookups;
        for (uint32_t l = 0; l < n_lookups; l++)
            rows[l] = rank < n_private ? rank : n_private + hash_row(&family, problem->dense_ids[id], l);
    }
    head_free(&head);
    return COLLIDE_OK;
}
