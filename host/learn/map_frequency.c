#include "base/error.h"
#include "base/order.h"
#include "learn/item_mapping.h"

#include <stdlib.h>

enum collide_status map_frequency(const struct mapping_problem *problem, struct mapping *mapping,
                                  struct collide_error *err)
{
    const struct corpus *corpus = problem->corpus;
    const uint32_t n_private = problem->n_rows / 2, n_shared = problem->n_rows - n_private;
    uint64_t *counts = malloc(corpus->n_items * sizeof *counts);
    uint32_t *order = malloc(corpus->n_items * sizeof *order);
    enum collide_status status = COLLIDE_OK;
    if (!counts || !order) {
        status = error_no_memory(err, "the order of frequencies");
        goto out;
    }
    for (uint32_t i = 0; i < corpus->n_items; i++)
        counts[i] = corpus->counts[i];
    status = order_by_count(counts, corpus->n_items, order, err);
    for (uint32_t rank = 0; status == COLLIDE_OK && rank < corpus->n_items; rank++) {
        uint32_t item = order[rank];
        mapping->row_of_item[item] = rank < n_private ? rank : n_private + corpus->dense_ids[item] % n_shared;
    }
out:
    free(counts);
    free(order);
    return status;
}
