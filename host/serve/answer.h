/* Requests that came together, answered together: score requests for one model share launches, which pays on
 * devices that queue work. A request that is wrong, or late, disturbs none of the others. */
#ifndef SERVE_ANSWER_H
#define SERVE_ANSWER_H

#include "serve/service.h"

enum { CALLS_MAX = 64 };

/* A request on its way through. Borrows all it points to. */
struct service_call {
    struct service_request request;
    struct buffer *reply;       /* what is appended: the answer, or the error in the request's format */
    enum collide_status status; /* out, as service_answer's */
    size_t n_json_bytes;        /* out, of FORMAT_OIP: where tensors follow them in the reply; else 0 */
    struct observed_request *observed; /* in and out: its times so far, and what it was at */
};

/* n <= CALLS_MAX. Each worker is used by one thread at a time; different workers run side by side. */
void service_answer_calls(struct service *s, unsigned worker, struct service_call *calls, size_t n);

/* Whether a model that is served lies on a device that queues work. Any thread. */
bool service_gains_from_company(const struct service *s);

#endif
