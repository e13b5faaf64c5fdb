/* What the answer to a top-k query must be, by scoring all items in double. */
#ifndef TESTS_TOPK_TRUTH_H
#define TESTS_TOPK_TRUTH_H

#include "collide/scorer.h"
#include "score/reference.h"

#include <stdbool.h>

enum { TOPK_TRUTH_MAX_ITEMS = 2000 };

/* Each item's score, and whether it is a candidate at all. */
struct topk_truth {
    size_t k;
    struct collide_id keys[TOPK_TRUTH_MAX_ITEMS];
    struct reference_score scores[TOPK_TRUTH_MAX_ITEMS];
    bool is_candidate[TOPK_TRUTH_MAX_ITEMS + 1]; /* the unknown item's place is written, never read */
    size_t n_candidates;
};

void topk_truth_find(const struct collide_model *model, const struct collide_topk_query *query,
                     struct topk_truth *out);

/* Fails the test, saying where, unless every hit is a candidate, there once, with its score, in order, and no
 * candidate that was left out is better than the last hit by more than the tolerances of both. The truth is
 * used up. */
void topk_truth_check(struct topk_truth *truth, const struct collide_model *model,
                      const struct collide_hit *hits, size_t n, const char *where);

#endif
