/* Whether a request may pass: its key, its rate. */
#ifndef NET_GATE_H
#define NET_GATE_H

#include "net/api_keys.h"
#include "net/rate_limit.h"

#include <stdbool.h>

/* Either may be NULL, for none; borrowed by what holds the gate. */
struct gate {
    struct api_keys *keys;
    struct rate_limit *rate;
};

struct gate_request {
    const char *authorization, *x_api_key; /* headers, or NULL */
    const struct sockaddr *from;
    enum api_role needed; /* API_STRANGER: anybody may ask this, as often as they like */
    uint64_t now_ns;
};

enum gate_outcome { GATE_OPEN, GATE_UNAUTHORIZED, GATE_FORBIDDEN, GATE_TOO_MANY };

struct gate_verdict {
    enum gate_outcome outcome;
    char name[API_NAME_CHARS]; /* of the key; "" if there is none */
    unsigned retry_after_s;    /* with GATE_TOO_MANY, at least 1 */
};

/* Whether it asks nobody for anything. */
static inline bool gate_stands_open(const struct gate *g)
{
    return !g->keys && !g->rate;
}

/* Known clients are counted by name, others by address, refused ones too. */
struct gate_verdict gate_ask(const struct gate *g, const struct gate_request *request);

#endif
