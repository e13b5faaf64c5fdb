/* The scoring kernels of one model under direct control: any kernel, on any setup, without the public API. */
#ifndef TESTS_KERNEL_RIG_H
#define TESTS_KERNEL_RIG_H

#include "collide/scorer.h"
#include "score/kernels.h"
#include "support/devices.h"

/* What one batch may hold. */
enum { RIG_MAX_QUERIES = 64, RIG_MAX_HISTORY = 32768, RIG_MAX_ITEMS = 32768, RIG_MAX_SCORES = 1 << 20 };

struct kernel_rig {
    const struct collide_model *model;
    struct device *device;
    struct kernels *kernels;
    struct engine_lane *lane;
};

void kernel_rig_open(const struct collide_model *model, const struct device_setup *setup,
                     struct kernel_rig *out);

/* Fails the test if anything made on the device still lives. */
void kernel_rig_close(struct kernel_rig *rig);

/* Runs one kernel over the queries in every slot of the lane, one after the other, and gives the last one's
 * n_scores results, valid until the next run. The slots must agree. */
const float *kernel_rig_run(struct kernel_rig *rig, enum scoring_kernel kernel,
                            const struct collide_query *queries, size_t n_queries, size_t n_scores);

#endif
