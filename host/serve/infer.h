/* The Open Inference Protocol's side of the service. Bodies of answers, and of errors, are appended to
 * reply. COLLIDE_NOT_FOUND: there is no such model or version. */
#ifndef SERVE_INFER_H
#define SERVE_INFER_H

#include "api/oip.h"
#include "serve/service.h"

struct infer_request {
    struct model_choice model;
    struct oip_body body;
    uint64_t arrived_ns; /* of clock_now_ns: what its timeout counts from */
};

struct infer_reply {
    struct buffer *body;
    size_t n_json_bytes; /* where tensors follow them; else 0 */
};

/* Answers one inference request. Each worker is used by one thread at a time. COLLIDE_BUSY: not ready, or the
 * request's timeout has passed. */
enum collide_status service_infer(struct service *s, unsigned worker, const struct infer_request *request,
                                  struct infer_reply *reply);

/* Prints what oip_print_model and oip_print_config do. */
typedef void (*infer_describer)(const struct oip_model *model, struct buffer *out);

enum collide_status service_infer_describe(struct service *s, unsigned worker,
                                           const struct model_choice *model, infer_describer describe,
                                           struct buffer *reply);

#endif
