/* What the ids of a space were clicked with, for mappings that look at interactions: a feature's ids with
 * items, items with the ids of the first feature. */
#ifndef LEARN_CLICK_PARTNERS_H
#define LEARN_CLICK_PARTNERS_H

#include "data/csr.h"
#include "learn/click/click_data.h"

/* Rows of the space's ids, their values ids of the partner space; both as numbered among those seen. Returns
 * owned. */
enum collide_status click_partners_find(const struct click_data *data, size_t space, struct csr *out,
                                        struct collide_error *err);

/* The space whose ids those are. */
static inline size_t click_partner_space(size_t space)
{
    return space == 0 ? 1 : 0;
}

#endif
