/* `collide eval --clicks`: log loss, normalised entropy and AUC, scored on the device. */
#ifndef CLI_EVAL_CLICKS_H
#define CLI_EVAL_CLICKS_H

#include "cli/device_args.h"
#include "data/click_columns.h"

struct click_eval_flags {
    const char *model_path;
    const char *log_path;
    struct click_choices choices; /* NULL: as the model was learned */
    const struct device_flags *device;
    bool json;
};

/* Measures and prints. */
enum collide_status eval_clicks(const struct click_eval_flags *flags, struct collide_error *err);

#endif
