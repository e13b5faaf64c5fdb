/* `collide inspect --plan`: where a model's tables would be on a device, and what a lookup costs there. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "cli/device_args.h"
#include "model/model.h"

/* Of flags the device, the tables' policy and the largest bank count. */
enum collide_status plan_print(const struct model *model, const struct device_flags *flags,
                               struct collide_error *err);

#endif
