#include "base/order.h"

#include "base/error.h"

#include <stdlib.h>

struct counted {
    uint64_t count;
    uint32_t index;
};

static int more_frequent_first(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

enum collide_status order_by_count(const uint64_t *counts, uint32_t n, uint32_t *order,
                                   struct collide_error *err)
{
    struct counted *sorted = malloc((n + 1ull) * sizeof *sorted);
    if (!sorted)
        return error_no_memory(err, "the order of frequencies");
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = (struct counted){counts[i], i};
    qsort(sorted, n, sizeof *sorted, more_frequent_first);
    for (uint32_t k = 0; k < n; k++)
        order[k] = sorted[k].index;
    free(sorted);
    return COLLIDE_OK;
}
