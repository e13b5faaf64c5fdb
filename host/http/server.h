/* The HTTP endpoint: threads with a worker of the service each, all on one listening socket, each request run
 * to completion on its thread. The routes: http/router.h, docs/HTTP.md. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/endpoint.h"
#include "net/gate.h"
#include "net/idle.h"
#include "net/listener.h"
#include "net/tls.h"

struct http_options {
    struct listener *listener;           /* taken, and with it what it says */
    struct listener *admin;              /* taken; NULL: none */
    struct gate gate;                    /* borrows; asked for each request but those that are open to all */
    struct tls *tls;                     /* of TCP; NULL: none; borrowed */
    unsigned n_threads;                  /* of the listener: workers 0 .. of the service */
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

/* The threads, and thereby the workers 0 .. of the service: one more with an admin listener. */
unsigned http_n_threads(const struct http_options *options);

/* Starts answering; borrows the service until http_server_destroy. Routes for admins are answered at the
 * admin listener; without one at the other, unless the network reaches that. Returns owned. */
enum collide_status http_server_create(struct service *service, const struct http_options *options,
                                       struct http_server **out, struct collide_error *err);

/* Where it listens, such as "http://127.0.0.1:8080", "https://..." or "unix:/run/collide/http.sock". */
const char *http_server_url(const struct http_server *h);

/* Accepts no more connections, answers the requests that have begun, for at most timeout_s, and stops. */
void http_server_destroy(struct http_server *h, unsigned timeout_s);

#endif
