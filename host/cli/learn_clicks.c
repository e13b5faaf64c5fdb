#include "cli/learn_clicks.h"

#include "base/log.h"
#include "model/write.h"

enum collide_status learn_clicks(const struct click_options *options, const char *output,
                                 struct collide_error *err)
{
    struct click_learned *learned = NULL;
    enum collide_status status = click_learn(options, &learned, err);
    if (status == COLLIDE_OK)
        status = model_write(click_learned_model(learned), output, err);
    if (status == COLLIDE_OK)
        log_info("wrote %s", output);
    click_learned_destroy(learned);
    return status;
}
