/* `collide kernels build`, run by a service that needs kernels. */
#ifndef CLI_KERNEL_PROCESS_H
#define CLI_KERNEL_PROCESS_H

#include "cli/device_args.h"
#include "serve/service.h"

/* Runs this program anew for each model, with the same flags, which are borrowed. With --kernels there is
 * nothing to build, and so no builder. */
struct kernel_builder kernel_process_builder(struct device_flags *flags);

#endif
