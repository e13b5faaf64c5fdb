/* Work-groups of the kernels as C: each work-item a fiber with a stack of its own. */
#ifndef TESTS_WORK_GROUP_H
#define TESTS_WORK_GROUP_H

#include <stddef.h>

/* Of the work-item that runs now. */
extern size_t shim_group_id, shim_local_id;

/* Runs body(argument) for each work-item of each group. Those of one group take turns from barrier to
 * barrier, in rising and in falling order, so that what a missing barrier leaves undecided comes out wrong.
 * Aborts where a barrier is not passed by all. */
void work_groups_run(void (*body)(const void *argument), const void *argument, size_t n_groups,
                     size_t n_local);

void work_group_barrier(void);

#endif
