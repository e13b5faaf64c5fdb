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

static enum collide_status allocate(uint32_t n_rows, struct row_order *o, struct collide_error *err)
{
    *o = (struct row_order){.row_at = malloc(n_rows * sizeof *o->row_at),
                            .place_of = malloc(n_rows * sizeof *o->place_of)};
    return o->row_at && o->place_of ? COLLIDE_OK : error_no_memory(err, "the order of rows");
}

enum collide_status row_order_keep(const struct id_mapping *m, struct row_order *out,
                                   struct collide_error *err)
{
    struct row_order o;
    enum collide_status status = allocate(m->n_rows, &o, err);
    if (status != COLLIDE_OK) {
        row_order_free(&o);
        return status;
    }
    for (uint32_t k = 0; k < m->n_rows; k++)
        o.row_at[k] = o.place_of[k] = k;
    *out = o;
    return COLLIDE_OK;
}

enum collide_status row_order_create(const struct id_mapping *m, const uint32_t *counts,
                                     struct row_order *out, struct collide_error *err)
{
    struct row_order o;
    enum collide_status status = allocate(m->n_rows, &o, err);
    uint64_t *n_accesses = calloc(m->n_rows, sizeof *n_accesses);
    if (status == COLLIDE_OK && !n_accesses)
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
