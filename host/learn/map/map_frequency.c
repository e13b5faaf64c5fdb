#include "base/error.h"
#include "base/order.h"
#include "learn/map/id_mapping.h"

#include <stdlib.h>

enum collide_status map_frequency(const struct mapping_problem *problem, struct id_mapping *mapping,
                                  struct collide_error *err)
{
    const uint32_t n_private = problem->n_rows / 2, n_shared = problem->n_rows - n_private;
    uint64_t *counts = malloc(problem->n_ids * sizeof *counts);
    uint32_t *order = malloc(problem->n_ids * sizeof *order);
    enum collide_status status = COLLIDE_OK;
    if (!counts || !order) {
        status = error_no_memory(err, "the order of frequencies");
        goto out;
    }
    for (uint32_t i = 0; i < problem->n_ids; i++)
        counts[i] = problem->counts[i];
    status = order_by_count(counts, problem->n_ids, order, err);
    for (uint32_t rank = 0; status == COLLIDE_OK && rank < problem->n_ids; rank++) {
        uint32_t item = order[rank];
        mapping->rows_of[item] = rank < n_private ? rank : n_private + problem->dense_ids[item] % n_shared;
    }
out:
    free(counts);
    free(order);
    return status;
}
