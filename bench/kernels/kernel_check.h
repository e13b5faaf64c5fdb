/* Whether what kernels made of a query is right: compared with the double reference. */
#ifndef BENCH_KERNEL_CHECK_H
#define BENCH_KERNEL_CHECK_H

#include "kernel_case.h"
#include "score/fill.h"

/* Of one query of a batch; COLLIDE_DEVICE says what is wrong. scores: the batch's. */
enum collide_status kernel_check_bag(const struct kernel_case *c, const struct fill *f, const float *scores,
                                     size_t query, struct collide_error *err);
enum collide_status kernel_check_score(const struct kernel_case *c, const struct fill *f, const float *scores,
                                       size_t query, struct collide_error *err);

/* The parts' hits merged are k distinct items with their scores, and no other item is better. */
enum collide_status kernel_check_topk(const struct kernel_case *c, const struct fill *f, const float *scores,
                                      size_t query, struct collide_error *err);

#endif
