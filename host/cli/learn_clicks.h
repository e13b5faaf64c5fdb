/* `collide learn` where the log says what was clicked. */
#ifndef CLI_LEARN_CLICKS_H
#define CLI_LEARN_CLICKS_H

#include "learn/click/click_learn.h"

/* Learns and writes the model. */
enum collide_status learn_clicks(const struct click_options *options, const char *output,
                                 struct collide_error *err);

#endif
