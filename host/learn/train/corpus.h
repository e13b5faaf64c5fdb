/* The part of a log that training sees: items that occur, and users with enough of them, both renumbered 0,
 * 1, 2... by increasing dense id. */
#ifndef LEARN_CORPUS_H
#define LEARN_CORPUS_H

#include "collide/status.h"
#include "data/interactions.h"

#include <stdbool.h>
#include <stdint.h>

struct corpus {
    uint32_t n_items;
    uint32_t *dense_ids;   /* (n_items), increasing: the item's dense id in the log */
    uint32_t *counts;      /* (n_items), each >= 1: users who have the item */
    float *weights;        /* (n_items): of the item in a bag, (count + 1)^-1/2 */
    uint32_t *dense_users; /* (histories.n_rows), increasing: the user's dense id in the log */
    struct csr histories;  /* users with so many items or more, in the log's order; values are corpus items */
    bool owns_histories;   /* no: they are the log's, all of whose users and items take part */
};

/* min_items: that a user needs to take part, at least 1. A log without a single interaction gives an empty
 * corpus. Borrows the log's histories while it lives. Returns owned. */
enum collide_status corpus_create(const struct interactions *log, uint32_t min_items, struct corpus *out,
                                  struct collide_error *err);
void corpus_free(struct corpus *c);

#endif
