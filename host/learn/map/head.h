/* The most frequent ids, and the rows that are theirs alone. */
#ifndef LEARN_HEAD_H
#define LEARN_HEAD_H

#include "learn/map/id_mapping.h"

struct head {
    uint32_t n_private; /* rows, and the ids that have them; fewer than n_rows */
    uint32_t *order;    /* (n_ids): ids by falling count, the lower of equals first; owned */
};

/* By settings.private_share of problem->n_rows, half of them by default. Returns owned. */
enum collide_status head_create(const struct mapping_problem *problem, struct head *out,
                                struct collide_error *err);
void head_free(struct head *h);

#endif
