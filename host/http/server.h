/* The HTTP endpoint: threads with a worker of the service each, all on one listening socket, each request run
 * to completion on its thread. The routes: http/router.h, docs/HTTP.md. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/endpoint.h"
#include "net/idle.h"

struct http_options {
    const char *listen;                  /* HOST:PORT */
    unsigned n_threads;                  /* workers 0 .. of the service */
    const struct transports *transports; /* to tell of; borrowed */
    struct loader *loader;               /* as in http_context; stopped before http_server_destroy */
    enum poll_policy poll;
    size_t max_body_bytes;
    unsigned max_connections;
    unsigned idle_timeout_s;    /* of a connection between requests */
    unsigned request_timeout_s; /* from a request's first line until its answer has gone */
    unsigned max_queue_us;      /* work that has waited longer for its turn is refused with 503 */
};

struct http_server;

/* Starts listening and answering; borrows the service until http_server_destroy. Returns owned. */
enum collide_status http_server_create(struct service *service, const struct http_options *options,
                                       struct http_server **out, struct collide_error *err);

/* Where it listens, such as "127.0.0.1:8080". */
const char *http_server_address(const struct http_server *h);

/* Accepts no more connections, answers the requests that have begun, for at most timeout_s, and stops. */
void http_server_destroy(struct http_server *h, unsigned timeout_s);

#endif
