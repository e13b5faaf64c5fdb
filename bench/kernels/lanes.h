/* How many bags several threads, each with a lane of its own, pool at once. */
#ifndef BENCH_LANES_H
#define BENCH_LANES_H

#include "kernel_descriptor.h"

enum { MAX_LANES = 64, LANE_QUERIES = 64, LANE_BAG = 32 };

/* Bags per us of n_lanes lanes together, 1 to MAX_LANES: all that they pool, in launches of LANE_QUERIES bags
 * of LANE_BAG ids, over the time from the first one's start to the last one's end. */
enum collide_status lanes_measure(const struct kernel_case *c, struct kernels *kernels, unsigned n_lanes,
                                  double *bags_per_us, struct collide_error *err);

#endif
