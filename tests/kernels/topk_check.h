/* Whether the kernels' top-k is one. */
#ifndef TESTS_TOPK_CHECK_H
#define TESTS_TOPK_CHECK_H

#include "setting.h"

/* Runs both steps on all queries. Fails the test unless the hits of each query are as many as there should
 * be, are no blank items and none that the query leaves out, have their scores, and no other item is better.
 */
void topk_check(const struct setting *s);

/* Both steps, for what they touch; what they find is no matter. */
void topk_run(const struct setting *s);

#endif
