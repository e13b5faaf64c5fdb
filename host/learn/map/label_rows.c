#include "learn/map/label_rows.h"

#include "base/error.h"
#include "base/order.h"

#include <stdlib.h>

enum collide_status label_rows(const struct labelled_ids *ids, uint32_t *row_of_label, uint32_t *n_rows,
                               struct collide_error *err)
{
    enum collide_status status = COLLIDE_NO_MEMORY;
    uint32_t n_used = 0, n = *n_rows;
    uint64_t *volumes = calloc(ids->n_labels + 1ull, sizeof *volumes);
    uint32_t *order = malloc((ids->n_labels + 1ull) * sizeof *order);
    if (!volumes || !order) {
        error_no_memory(err, "the rows of labels");
        goto out;
    }
    for (uint32_t i = 0; i < ids->n_ids; i++) {
        uint64_t *volume = &volumes[ids->labels[i]];
        n_used += *volume == 0;
        *volume += ids->counts[i] + 1ull;
    }
    status = order_by_count(volumes, ids->n_labels, order, err);
    for (uint32_t rank = 0; status == COLLIDE_OK && rank < ids->n_labels; rank++)
        row_of_label[order[rank]] = rank < n ? rank : n - 1 - (rank - n) % n;
    if (status == COLLIDE_OK && n_used < n)
        *n_rows = n_used;
out:
    free(order);
    free(volumes);
    return status;
}
