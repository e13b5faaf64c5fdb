/* Whether options make sense, before any work is done. */
#ifndef LEARN_OPTIONS_H
#define LEARN_OPTIONS_H

#include "learn/learn.h"

/* COLLIDE_INVALID names the option, what was given and what is allowed. */
enum collide_status learn_options_check(const struct learn_options *options, const struct interactions *log,
                                        struct collide_error *err);

#endif
