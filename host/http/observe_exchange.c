#include "http/observe_exchange.h"

#include "http/connection_info.h"

#include <string.h>

static void set_remote(struct request_record *r, struct MHD_Connection *connection)
{
    const struct sockaddr *address = connection_address(connection);
    if (address->sa_family == AF_INET)
        memcpy(&r->remote.v4, address, sizeof r->remote.v4);
    if (address->sa_family == AF_INET6)
        memcpy(&r->remote.v6, address, sizeof r->remote.v6);
}

void exchange_observe(const struct http_context *context, const struct http_exchange *x,
                      struct MHD_Connection *connection)
{
    struct observer *o = service_observer(context->service);
    struct request_record r;
    const struct observed_answer a = {.route = x->place,
                                      .status = x->reply.status,
                                      .n_bytes_in = x->n_received,
                                      .n_bytes_out = x->reply.body.n_bytes};
    if (!observe_answer(o, context->worker, &a))
        return;
    observer_fill_record(o, context->worker, &a, &r);
    set_remote(&r, connection);
    request_record_set_text(r.client, sizeof r.client, x->request.client);
    request_record_set_text(r.method, sizeof r.method, x->request.method);
    request_record_set_path(&r, x->request.path);
    request_record_set_text(r.id, sizeof r.id, http_header(&x->request, "X-Request-Id"));
    observe_record(o, context->worker, &r);
}
