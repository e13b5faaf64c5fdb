/* A small HTTP/1.1 client for load: one thread, persistent connections, one request at a time on each, no
 * allocation once the buffers have grown to the responses' size. */
#ifndef BENCH_HTTP_CLIENT_H
#define BENCH_HTTP_CLIENT_H

#include "base/buffer.h"
#include "collide/status.h"
#include "http_url.h"
#include "load_options.h"
#include "transport.h"

struct http_client_settings {
    const struct http_url *url; /* borrowed during create */
    unsigned n_connections;     /* the transport's lanes */
    uint64_t timeout_ns;        /* of a connect and of a request */
    enum load_wait wait;
};

struct http_client;

/* Connects all connections; COLLIDE_IO if one cannot. Returns owned. */
enum collide_status http_client_create(const struct http_client_settings *settings, struct http_client **out,
                                       struct collide_error *err);
void http_client_destroy(struct http_client *client);

/* Borrows the client. Messages are whole requests, headers and all. A connection that the server closed is
 * opened again by the next request on its lane; a request during which it closes has failed. */
struct transport http_client_transport(struct http_client *client);

/* Connections opened again so far. */
uint64_t http_client_n_reconnects(const struct http_client *client);

/* Sends one request and waits for its response: its status, and its body appended to body. */
enum collide_status http_client_fetch(struct http_client *client, const struct message *message, int *status,
                                      struct buffer *body, struct collide_error *err);

#endif
