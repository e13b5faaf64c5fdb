#include "base/error.h"
#include "learn/mapping.h"

#include <stdlib.h>

struct counted {
    uint32_t count;
    uint32_t item;
};

static int more_frequent_first(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

enum collide_status map_frequency(const struct mapping_problem *problem, struct mapping *mapping,
                                  struct collide_error *err)
{
    const struct corpus *corpus = problem->corpus;
    uint32_t n_private = problem->n_rows / 2;
    struct counted *order = malloc(corpus->n_items * sizeof *order);
    if (!order)
        return error_no_memory(err, "the order of frequencies");
    for (uint32_t i = 0; i < corpus->n_items; i++)
        order[i] = (struct counted){corpus->counts[i], i};
    qsort(order, corpus->n_items, sizeof *order, more_frequent_first);
    for (uint32_t rank = 0; rank < corpus->n_items; rank++) {
        uint32_t item = order[rank].item;
        mapping->row_of_item[item] =
            rank < n_private ? rank : n_private + corpus->dense_ids[item] % (problem->n_rows - n_private);
    }
    free(order);
    return COLLIDE_OK;
}
