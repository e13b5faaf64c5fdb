/* Which trained row comes where in a model's table. */
#ifndef LEARN_ROW_ORDER_H
#define LEARN_ROW_ORDER_H

#include "learn/map/id_mapping.h"

struct row_order {
    uint32_t *row_at;   /* (n_rows): which of the mapping's rows comes k-th */
    uint32_t *place_of; /* (n_rows): its inverse */
};

/* By falling interactions of the ids that read a row, counts: (mapping->n_ids); within each codebook, where a
 * mapping has such. Of equals the lower row comes first. Returns owned. */
enum collide_status row_order_create(const struct id_mapping *mapping, const uint32_t *counts,
                                     struct row_order *out, struct collide_error *err);
/* The mapping's own order. Returns owned. */
enum collide_status row_order_keep(const struct id_mapping *mapping, struct row_order *out,
                                   struct collide_error *err);
void row_order_free(struct row_order *o);

#endif
