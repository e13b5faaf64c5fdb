/* Random requests on a model behind the public API, held against the reference. */
#ifndef TESTS_SCORER_CHECKS_H
#define TESTS_SCORER_CHECKS_H

#include "error_ratios.h"
#include "scorer_fixture.h"
#include "support/random_model.h"

struct scorer_check {
    const struct random_model *spec;
    const struct collide_model *model;
    struct collide_lane *lane;
    struct error_ratios *ratios;
    double slack; /* times the reference's tolerance; 0: 1 */
    const char *where;
};

/* Scores of n requests, in batches of random sizes; how many ids were looked up, and not found. */
void check_scores(const struct scorer_check *c, size_t n);

/* Scores of n requests whose ids are numbers, of both widths, most of them in memory that the lane is given
 * to share: once a lane, and last, as the lane keeps that. */
void check_numbers(const struct scorer_check *c, size_t n);

/* Hits of n queries, likewise, with every kind of exclusion. The model has TOPK_TRUTH_MAX_ITEMS at most. */
void check_topk(const struct scorer_check *c, size_t n);

/* The bags of n queries, on the lane's first device, which is no shard. */
void check_bags(const struct scorer_check *c, size_t n);

#endif
