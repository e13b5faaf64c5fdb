/* The HTTP endpoint, on libmicrohttpd: epoll threads with a worker of the service each, all on one listening
 * socket, each request run to completion on its thread.
 *
 *   POST /v1/score, /v1/topk   api/json_v1.h        GET /v1/model   the model and its device
 *   GET /healthz               the process lives    GET /readyz     it can answer
 *   GET /v1/transports         the datagram transports and their counts
 *
 * Errors are JSON: {"error": {"code": ..., "message": ...}}. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "net/transports.h"

struct http_options {
    const char *listen;                  /* HOST:PORT */
    unsigned n_threads;                  /* workers 0 .. of the service */
    const struct transports *transports; /* to tell of; borrowed */
    size_t max_body_bytes;
    unsigned max_connections;
    unsigned idle_timeout_s;
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
