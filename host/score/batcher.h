/* Puts calls of several threads into one launch: the first to come waits a little for others, then runs them
 * all on its own lane. For devices whose launches cost more than the wait. */
#ifndef SCORE_BATCHER_H
#define SCORE_BATCHER_H

#include "score/lane.h"

struct batcher;

/* max_batch: queries that end the wait. Returns owned. */
enum collide_status batcher_create(unsigned max_delay_us, unsigned max_batch, struct batcher **out,
                                   struct collide_error *err);
void batcher_destroy(struct batcher *b);

/* As lane_score for one job, which has been checked; returns when its scores are there. */
enum collide_status batcher_score(struct batcher *b, struct collide_lane *lane, struct score_job *job,
                                  struct collide_error *err);

#endif
