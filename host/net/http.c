#include "net/http.h"

#include "api/json_v1.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "net/http_exchange.h"
#include "net/listen.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* An epoll thread with its own connections and worker: nothing on a request's way is shared. */
struct http_thread {
    struct http_server *server;
    unsigned worker;
    struct MHD_Daemon *daemon;
    struct http_exchange_pool pool;
    atomic_uint n_begun; /* requests whose first line has come and whose answer has not gone */
};

struct http_server {
    struct service *service;
    struct http_options options;
    char address[ADDRESS_CHARS];
    char too_large[96];
    unsigned n_threads;
    struct http_thread threads[]; /* (n_threads) */
};

/* Headers fit beside a chunk of the body; libmicrohttpd clears it all between requests. */
enum { CONNECTION_MEMORY_BYTES = 32 * 1024 };

/* How many times the largest body is read and thrown away for the sake of an answer that arrives. */
enum { DISCARD_FACTOR = 8 };

/* A drain ends once nothing has come for so long: what clients had sent before they could know is answered.
 */
enum { DRAIN_POLL_NS = 2000000 };
static const double DRAIN_QUIET_S = 0.1;

static unsigned status_of(enum collide_status status)
{
    switch (status) {
    case COLLIDE_OK:
        return MHD_HTTP_OK;
    case COLLIDE_INVALID:
        return MHD_HTTP_BAD_REQUEST;
    case COLLIDE_BUSY:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    default:
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

static void perform(struct http_thread *t, struct http_exchange *x)
{
    struct service *service = t->server->service;
    switch (x->action) {
    case HTTP_SCORE:
    case HTTP_TOPK:
        x->status = status_of(service_answer(service, t->worker,
                                             x->action == HTTP_SCORE ? REQUEST_SCORE : REQUEST_TOPK,
                                             x->body.bytes, x->body.n_bytes, &x->reply));
        break;
    case HTTP_MODEL:
        x->status = status_of(service_describe(service, &x->reply));
        break;
    case HTTP_TRANSPORTS:
        transports_describe(t->server->options.transports, &x->reply);
        break;
    case HTTP_HEALTH:
        buffer_append_text(&x->reply, "{\"status\":\"alive\"}\n");
        break;
    case HTTP_READY:
        if (service_state(service) == SERVICE_READY)
            buffer_append_text(&x->reply, "{\"status\":\"ready\"}\n");
        else
            http_exchange_refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable",
                                 "not ready; try again later");
        break;
    case HTTP_REFUSE:
        break;
    }
}

static void refuse_no_memory(struct http_exchange *x)
{
    buffer_free(&x->body);
    buffer_free(&x->reply);
    http_exchange_refuse(x, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory for this request");
}

/* Whether the client has closed its side and everything it sent has been read. libmicrohttpd 0.9.75 with
 * epoll does not see that where the last bytes and the end came at once, and would keep the connection until
 * it times out. */
static bool client_has_left(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;
    return info && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Queues the exchange's reply, which stays in the exchange until the request is completed. */
static enum MHD_Result reply(struct http_thread *t, struct MHD_Connection *connection,
                             struct http_exchange *x)
{
    if (x->reply.failed)
        refuse_no_memory(x);
    if (x->reply.failed)
        return MHD_NO;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(x->reply.n_bytes, x->reply.bytes, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (x->allow)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, x->allow);
    if (x->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (service_state(t->server->service) == SERVICE_DRAINING || client_has_left(connection))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(connection, x->status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void refuse_too_large(const struct http_thread *t, struct http_exchange *x)
{
    http_exchange_refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "too_large", t->server->too_large);
}

/* The headers are there. A refused client that waits for "100 Continue", or that would send without end, is
 * answered at once and its connection closed. Any other is sending already: closing now would reset the
 * connection before the client has read why, so its body is read and thrown away first. */
static enum MHD_Result begin(struct http_thread *t, struct MHD_Connection *connection,
                             struct http_exchange *x)
{
    const char *text = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long length = text ? strtoull(text, NULL, 10) : 0;
    size_t max = t->server->options.max_body_bytes;
    x->n_announced = length;
    if (x->action != HTTP_REFUSE && length > max)
        refuse_too_large(t, x);
    if (x->action == HTTP_REFUSE &&
        (header(connection, MHD_HTTP_HEADER_EXPECT) || length / DISCARD_FACTOR > max))
        return reply(t, connection, x);
    return MHD_YES;
}

static enum MHD_Result take_body(struct http_thread *t, struct MHD_Connection *connection,
                                 struct http_exchange *x, const char *data, size_t n)
{
    size_t max = t->server->options.max_body_bytes;
    x->n_received += n;
    if (x->action != HTTP_REFUSE && x->n_received > max)
        refuse_too_large(t, x);
    if (x->action != HTTP_REFUSE)
        buffer_append(&x->body, data, n);
    if (x->body.failed)
        refuse_no_memory(x);
    bool is_cut_off = x->n_received < x->n_announced && client_has_left(connection);
    return is_cut_off || x->n_received / DISCARD_FACTOR > max ? MHD_NO : MHD_YES;
}

/* libmicrohttpd calls this once when the headers are there (no exchange yet), then for each piece of the
 * body, and at the end with no bytes. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *n_data,
                                  void **state)
{
    struct http_thread *t = context;
    struct http_exchange *x = *state;
    (void)version;
    if (!x) {
        *state = x = http_exchange_take(&t->pool);
        if (!x)
            return MHD_NO;
        http_exchange_route(x, method, path, header(connection, MHD_HTTP_HEADER_CONTENT_TYPE));
        return begin(t, connection, x);
    }
    if (*n_data > 0) {
        size_t n = *n_data;
        *n_data = 0;
        return take_body(t, connection, x, data, n);
    }
    perform(t, x);
    return reply(t, connection, x);
}

/* The request line is there: from now on a shutdown waits for the answer. */
static void *on_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_thread *t = context;
    (void)uri;
    (void)connection;
    atomic_fetch_add(&t->n_begun, 1);
    return NULL;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct http_thread *t = context;
    (void)connection;
    (void)code;
    if (*state)
        http_exchange_return(&t->pool, *state);
    *state = NULL;
    atomic_fetch_sub(&t->n_begun, 1);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *context, const char *format, va_list args)
{
    char text[512];
    (void)context;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http: %s", text);
}

static enum collide_status start_thread(struct http_server *h, unsigned i, int listener,
                                        struct collide_error *err)
{
    struct http_thread *t = &h->threads[i];
    t->server = h;
    t->worker = i;
    int own = fcntl(listener, F_DUPFD_CLOEXEC, 0); /* each daemon closes its own */
    if (own < 0)
        return error_set(err, COLLIDE_IO, "out of file descriptors for HTTP thread %u", i);
    unsigned share = (h->options.max_connections + h->n_threads - 1) / h->n_threads;
    t->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL,
                                 NULL, on_request, t,                                                 //
                                 MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,                            //
                                 MHD_OPTION_LISTEN_SOCKET, own,                                       //
                                 MHD_OPTION_URI_LOG_CALLBACK, on_begin, t,                            //
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, t,                        //
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, //
                                 MHD_OPTION_CONNECTION_LIMIT, share,                                  //
                                 MHD_OPTION_CONNECTION_TIMEOUT, h->options.idle_timeout_s, MHD_OPTION_END);
    if (!t->daemon) {
        close(own);
        return error_set(err, COLLIDE_IO, "cannot start HTTP thread %u; are there too many open files", i);
    }
    return COLLIDE_OK;
}

enum collide_status http_server_create(struct service *service, const struct http_options *options,
                                       struct http_server **out, struct collide_error *err)
{
    unsigned n = options->n_threads;
    struct http_server *h = calloc(1, sizeof *h + n * sizeof h->threads[0]);
    if (!h)
        return error_no_memory(err, "the HTTP server");
    h->service = service;
    h->options = *options;
    h->n_threads = n;
    snprintf(h->too_large, sizeof h->too_large, "the body is larger than the limit of %zu bytes",
             options->max_body_bytes);
    int listener = -1;
    enum collide_status status = listen_tcp(options->listen, &listener, h->address, err);
    for (unsigned i = 0; i < n && status == COLLIDE_OK; i++)
        status = start_thread(h, i, listener, err);
    if (listener >= 0)
        close(listener);
    if (status != COLLIDE_OK) {
        http_server_destroy(h, 0);
        return status;
    }
    *out = h;
    return COLLIDE_OK;
}

const char *http_server_address(const struct http_server *h)
{
    return h->address;
}

static unsigned n_begun(struct http_server *h)
{
    unsigned n = 0;
    for (unsigned i = 0; i < h->n_threads; i++)
        n += atomic_load(&h->threads[i].n_begun);
    return n;
}

static void drain(struct http_server *h, unsigned timeout_s)
{
    uint64_t start = clock_now_ns(), busy = start;
    while (clock_seconds_since(start) < timeout_s && clock_seconds_since(busy) < DRAIN_QUIET_S) {
        nanosleep(&(struct timespec){.tv_nsec = DRAIN_POLL_NS}, NULL);
        if (n_begun(h) > 0)
            busy = clock_now_ns();
    }
    if (n_begun(h) > 0 && timeout_s > 0)
        log_warning("%u requests did not end within %u s and are cut off", n_begun(h), timeout_s);
}

void http_server_destroy(struct http_server *h, unsigned timeout_s)
{
    if (!h)
        return;
    for (unsigned i = 0; i < h->n_threads; i++) {
        MHD_socket own = h->threads[i].daemon ? MHD_quiesce_daemon(h->threads[i].daemon) : MHD_INVALID_SOCKET;
        if (own != MHD_INVALID_SOCKET)
            close(own);
    }
    drain(h, timeout_s);
    for (unsigned i = 0; i < h->n_threads; i++) {
        if (h->threads[i].daemon)
            MHD_stop_daemon(h->threads[i].daemon);
        http_exchange_pool_free(&h->threads[i].pool);
    }
    free(h);
}
