/* `collide-bench kernel --compare`: one table over everything that a lookup's time depends on. */
#ifndef BENCH_KERNEL_COMPARE_H
#define BENCH_KERNEL_COMPARE_H

#include "rig.h"

enum collide_status kernel_compare(const struct rig *rig, const struct rig_options *options,
                                   struct collide_error *err);

#endif
