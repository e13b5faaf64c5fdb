/* What GET /v1/model answers. */
#ifndef SERVE_DESCRIBE_H
#define SERVE_DESCRIBE_H

#include "base/buffer.h"
#include "collide/scorer.h"

void describe_model(const char *name, const struct collide_model *model, const struct collide_scorer *scorer,
                    struct buffer *out);

#endif
