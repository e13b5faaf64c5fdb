/* What the Open Inference Protocol asks about models. Answers, and errors, are appended to
 * reply. COLLIDE_NOT_FOUND: there is no such model or version. */
#ifndef SERVE_INFER_DESCRIBE_H
#define SERVE_INFER_DESCRIBE_H

#include "api/oip.h"
#include "serve/service.h"

/* Prints what oip_print_model and oip_print_config do. */
typedef void (*infer_describer)(const struct oip_model *model, struct buffer *out);

enum collide_status service_infer_describe(struct service *s, unsigned worker,
                                           const struct model_choice *model, infer_describer describe,
                                           struct buffer *reply);

#endif
