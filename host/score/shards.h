/* A model's rows spread over several devices. */
#ifndef SCORE_SHARDS_H
#define SCORE_SHARDS_H

#include "collide/status.h"
#include "score/tables.h"

/* COLLIDE_INVALID: one shard is none. COLLIDE_UNSUPPORTED: the model's bags are not sums over its rows, or it
 * has fewer rows than shards. */
enum collide_status shards_check(const struct model *model, unsigned n_shards, struct collide_error *err);

/* The rows of one shard; all have about as many. */
struct row_range shard_rows(const struct model *model, unsigned shard, unsigned n_shards);

#endif
