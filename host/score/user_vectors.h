/* The sums of the bags of users who come with nothing else, made once: such a query costs a copy of dim
 * floats in place of a row for each item of the user's stored history, and scores the same, bit for bit. */
#ifndef SCORE_USER_VECTORS_H
#define SCORE_USER_VECTORS_H

#include "score/lane.h"

/* (n_users, dim) floats, for user_vectors_destroy. NULL: users have no bag of their own, or bags are means;
 * they take more than max_bytes, or too long to make; devices have memory of their own, are not alike, or are
 * shards; or it has failed, which is logged. */
float *user_vectors_create(struct collide_scorer *scorer, uint64_t max_bytes);

/* Of that model. NULL is fine. */
void user_vectors_destroy(float *vectors, const struct model *model);

/* What they take: 0 where there can be none. */
uint64_t user_vectors_bytes(const struct model *model);

#endif
