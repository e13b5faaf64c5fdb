#include "net/gate.h"

/* Rounded up: who waits so long is let in. */
static unsigned seconds_of(uint64_t ns)
{
    uint64_t s = (ns + 999999999) / 1000000000;
    return s < 86400 ? (unsigned)s : 86400;
}

struct gate_verdict gate_ask(const struct gate *g, const struct gate_request *request)
{
    struct gate_verdict v = {.outcome = GATE_OPEN};
    if (request->needed == API_STRANGER)
        return v;
    if (g->keys) {
        enum api_role role = api_keys_find(g->keys, request->authorization, request->x_api_key, v.name);
        if (role == API_STRANGER)
            v.outcome = GATE_UNAUTHORIZED;
        else if (role < request->needed)
            v.outcome = GATE_FORBIDDEN;
    }
    if (!g->rate)
        return v;
    uint64_t client =
        v.name[0] ? rate_limit_client_named(g->rate, v.name) : rate_limit_client_at(g->rate, request->from);
    uint64_t wait_ns = rate_limit_take(g->rate, client, request->now_ns);
    if (wait_ns > 0) {
        v.outcome = GATE_TOO_MANY;
        v.retry_after_s = seconds_of(wait_ns);
    }
    return v;
}
