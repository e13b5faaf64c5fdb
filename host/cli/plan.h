/* `collide inspect --plan`: where a model's tables would be on devices, and what a lookup costs there. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "collide/scorer.h"
#include "model/model.h"

/* Of the options the devices, how rows are spread over them, and what they say of tables count. */
enum collide_status plan_print(const struct model *model, const struct collide_scorer_options *options,
                               struct collide_error *err);

#endif
