/* What GET /v1/model answers. */
#ifndef SERVE_DESCRIBE_H
#define SERVE_DESCRIBE_H

#include "base/buffer.h"
#include "serve/model_version.h"

void describe_model(const struct model_version *v, struct buffer *out);

#endif
