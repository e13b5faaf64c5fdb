#include "learn/store/row_order.h"

#include "base/error.h"
#include "base/order.h"

#include <stdlib.h>

static enum collide_status fill(const struct id_mapping *m, const uint64_t *n_accesses, struct row_order *o,
                                struct collide_error *err)
{
    const uint32_t n_group = m->n_book_rows ? m->n_book_rows : m->n_rows;
    enum collide_status status = COLLIDE_OK;
    for (uint32_t first = 0; status == COLLIDE_OK && first < m->n_rows; first += n_group) {
        status = order_by_count(n_accesses + first, n_group, o->row_at + first, err);
        for (uint32_t k = first; status == COLLIDE_OK && k < first + n_group; k++) {
            o->row_at[k] += first;
            o->place_of[o->row_at[k]] = k;
        }
    }
    return status;
}

enum collide_status row_order_create(const struct id_mapping *m, const uint32_t *counts,
                                     struct row_order *out, struct collide_error *err)
{
    struct row_order o = {.row_at = malloc(m->n_rows * sizeof *o.row_at),
                          .place_of = malloc(m->n_rows * sizeof *o.place_of)};
    uint64_t *n_accesses = calloc(m->n_rows, sizeof *n_accesses);
    enum collide_status status = COLLIDE_OK;
    if (!o.row_at || !o.place_of || !n_accesses)
        status = error_no_memory(err, "the order of rows");
    for (size_t e = 0; status == COLLIDE_OK && e < (size_t)m->n_ids * m->n_lookups; e++)
        n_accesses[m->rows_of[e]] += counts[e / m->n_lookups];
    if (status == COLLIDE_OK)
        status = fill(m, n_accesses, &o, err);
    free(n_accesses);
    if (status == COLLIDE_OK)
        *out = o;
    else
        row_order_free(&o);
    return status;
}

void row_order_free(struct row_order *o)
{
    free(o->row_at);
    free(o->place_of);
    *o = (struct row_order){0};
}
