/* Interactions put aside, to measure on. */
#ifndef LEARN_HOLD_OUT_H
#define LEARN_HOLD_OUT_H

#include "data/interactions.h"

struct hold_out {
    struct csr train;    /* rows of users, with what is left; owned */
    struct csr held_out; /* likewise, with what is put aside; owned */
};

/* Every interaction of the log goes to one of both, to held_out with probability share, 0 < share < 1, by the
 * seed. Left in train are all interactions of users with fewer than HOLD_OUT_MIN_ITEMS items, two at least
 * of any other, and of every item one. Returns owned. COLLIDE_INVALID: nothing can be put aside. */
enum { HOLD_OUT_MIN_ITEMS = 5 };
enum collide_status hold_out_split(const struct interactions *log, double share, uint64_t seed,
                                   struct hold_out *out, struct collide_error *err);
void hold_out_free(struct hold_out *h);

/* The rows of every k-th user that has any, n_users of them at most; the other rows are empty. Returns owned.
 */
enum collide_status hold_out_sample(const struct csr *held_out, uint64_t n_users, struct csr *out,
                                    struct collide_error *err);

#endif
