#include "http/admission.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static enum api_role role_for(const struct http_route *route)
{
    if (route->flags & HTTP_IS_OPEN)
        return API_STRANGER;
    return route->flags & HTTP_IS_ADMIN ? API_ADMIN : API_USER;
}

static void refuse(struct http_exchange *x, const struct gate_verdict *v)
{
    switch (v->outcome) {
    case GATE_OPEN:
        break;
    case GATE_UNAUTHORIZED:
        http_exchange_refuse(x, 401, "unauthorized",
                             "no key, or one that is not known; send it as Authorization: Bearer KEY");
        http_reply_header(&x->reply, "WWW-Authenticate", "Bearer realm=\"collide\"");
        break;
    case GATE_FORBIDDEN:
        http_exchange_refuse(x, 403, "forbidden", "this takes the key of an admin");
        break;
    case GATE_TOO_MANY:
        http_exchange_refuse(x, 429, "too_many_requests",
                             "more requests than this client may make; try again later");
        http_reply_header(&x->reply, "Retry-After", "%u", v->retry_after_s);
        break;
    }
}

/* Whether a browser sends it for a page of another site: it does so without asking, and who sits at it may
 * reach listeners that the site does not. */
static bool is_from_elsewhere(const struct http_request *request)
{
    const char *origin = http_header(request, "Origin"), *host = http_header(request, "Host");
    const char *site = origin ? strstr(origin, "://") : NULL;
    return origin && (!site || !host || strcasecmp(site + 3, host) != 0);
}

void http_admit(const struct http_door *door, struct http_exchange *x, const struct sockaddr *from,
                uint64_t now_ns)
{
    const bool is_lost = !x->route; /* it is refused already */
    if (!is_lost && x->route->flags & door->hidden) {
        http_exchange_refuse(x, 404, "not_found", "only the admin listener answers this; see --admin-listen");
        return;
    }
    if (!is_lost && x->route->flags & HTTP_IS_ADMIN && is_from_elsewhere(&x->request)) {
        http_exchange_refuse(x, 403, "forbidden", "a page of another site may not ask this");
        return;
    }
    if (gate_stands_open(door->gate))
        return;
    const struct gate_request request = {.authorization = http_header(&x->request, "Authorization"),
                                         .x_api_key = http_header(&x->request, "X-API-Key"),
                                         .from = from,
                                         .needed = is_lost ? API_USER : role_for(x->route),
                                         .now_ns = now_ns};
    const struct gate_verdict v = gate_ask(door->gate, &request);
    memcpy(x->request.client, v.name, sizeof x->request.client);
    if (!is_lost || v.outcome == GATE_TOO_MANY)
        refuse(x, &v);
}
