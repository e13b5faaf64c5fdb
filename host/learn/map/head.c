#include "learn/map/head.h"

#include "base/error.h"
#include "base/order.h"

#include <stdlib.h>

enum collide_status head_create(const struct mapping_problem *problem, struct head *out,
                                struct collide_error *err)
{
    const float asked = problem->settings.private_share, share = asked == 0.0f ? 0.5f : asked;
    if (!(share > 0.0f && share < 1.0f))
        return error_set(err, COLLIDE_INVALID,
                         "%g of the rows private to the most frequent ids; give a share between 0 and 1",
                         (double)share);
    uint32_t n_private = (uint32_t)((double)share * problem->n_rows);
    struct head head = {.n_private = n_private < problem->n_rows ? n_private : problem->n_rows - 1};
    uint64_t *counts = malloc(problem->n_ids * sizeof *counts);
    head.order = malloc(problem->n_ids * sizeof *head.order);
    enum collide_status status = COLLIDE_OK;
    if (!counts || !head.order) {
        status = error_no_memory(err, "the order of frequencies");
        goto out;
    }
    for (uint32_t i = 0; i < problem->n_ids; i++)
        counts[i] = problem->counts[i];
    status = order_by_count(counts, problem->n_ids, head.order, err);
out:
    free(counts);
    if (status == COLLIDE_OK)
        *out = head;
    else
        head_free(&head);
    return status;
}

void head_free(struct head *h)
{
    free(h->order);
    *h = (struct head){0};
}
