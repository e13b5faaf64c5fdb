#include "http/http_thread.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/company.h"
#include "http/connections.h"
#include "http/exchange.h"
#include "http/observe_exchange.h"
#include "http/router.h"

#include <fcntl.h>
#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_thread {
    struct http_context context;
    const struct http_options *options;
    struct http_door door;
    struct MHD_Daemon *daemon;
    int events;   /* the daemon's epoll descriptor */
    int order_fd; /* tells of an order below */
    atomic_bool quiesce, stop;
    pthread_t thread;
    bool is_running, is_active; /* something has come */
    uint64_t turn_ns;           /* when it was last looked for what has come */
    struct http_connections connections;
    struct http_exchange_pool pool;
    atomic_uint n_begun;
    char too_large[96];
};

/* Headers fit beside a chunk of the body; libmicrohttpd clears it all between requests. */
enum { CONNECTION_MEMORY_BYTES = 16 * 1024 };

/* How many times the largest body is read and thrown away for the sake of an answer that arrives. */
enum { DISCARD_FACTOR = 8 };

enum { WAIT_MS = 100 };

static void refuse_no_memory(struct http_exchange *x)
{
    buffer_free(&x->body);
    buffer_free(&x->reply.body);
    http_exchange_refuse(x, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory for this request");
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static struct http_connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static const struct sockaddr *address_of(struct MHD_Connection *connection)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && info->client_addr ? info->client_addr : &nowhere;
}

/* Whether the client has closed its side and everything it sent has been read: see http/connections.h. */
static bool client_has_left(struct MHD_Connection *connection)
{
    char byte;
    return recv(socket_of(connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Queues the exchange's reply, which stays in the exchange until the request is completed. */
static enum MHD_Result send_reply(struct http_thread *t, struct MHD_Connection *connection,
                                  struct http_exchange *x)
{
    struct http_reply *reply = &x->reply;
    if (reply->body.failed)
        refuse_no_memory(x);
    if (reply->body.failed)
        return MHD_NO;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.n_bytes, reply->body.bytes, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    for (unsigned i = 0; i < reply->n_headers; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (reply->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (service_state(t->context.service) == SERVICE_DRAINING)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *find_header(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void refuse_too_large(const struct http_thread *t, struct http_exchange *x)
{
    http_exchange_refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "too_large", t->too_large);
}

/* All that has come together is answered one by one: how long this one has waited for those before it.
 * Refusing the rest early is what keeps the wait of those that are answered short. */
static bool is_overdue(const struct http_thread *t, const struct http_exchange *x, uint64_t now_ns)
{
    return x->route->flags & HTTP_IS_WORK &&
           now_ns - x->request.arrived_ns > (uint64_t)t->options->max_queue_us * 1000;
}

/* What is put off is told of when it is whole; as if it had waited so long, unless it knows better. */
static void observe_late(struct http_thread *t, struct MHD_Connection *connection, struct http_exchange *x)
{
    const struct http_connection *c = connection_of(connection);
    struct observer *o = service_observer(t->context.service);
    if (x->reply.observed.work != WORK_OTHER)
        *observer_current(o, t->context.worker) = x->reply.observed;
    else
        observer_begin(o, t->context.worker, c ? c->begun_ns : x->request.arrived_ns, x->request.arrived_ns);
    exchange_observe(&t->context, x, connection);
    x->reply.progress = HTTP_OBSERVED;
}

static enum MHD_Result answer_late(struct http_thread *t, struct MHD_Connection *connection,
                                   struct http_exchange *x)
{
    struct http_connection *c = connection_of(connection);
    if (c)
        http_connection_enter(&t->connections, c, HTTP_IS_ANSWERED, t->turn_ns);
    observe_late(t, connection, x);
    return send_reply(t, connection, x);
}

static enum MHD_Result answer(struct http_thread *t, struct MHD_Connection *connection,
                              struct http_exchange *x)
{
    struct http_connection *c = connection_of(connection);
    if (c)
        http_connection_enter(&t->connections, c, HTTP_IS_ANSWERED, t->turn_ns);
    x->request.body = x->body.bytes;
    x->request.n_bytes = x->body.n_bytes;
    x->request.arrived_ns = t->turn_ns;
    uint64_t now_ns = observer_begin(service_observer(t->context.service), t->context.worker,
                                     c ? c->begun_ns : t->turn_ns, t->turn_ns);
    if (x->route && is_overdue(t, x, now_ns))
        http_exchange_refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE, "overloaded", "too busy; try again later");
    if (x->route)
        x->route->answer(&t->context, &x->request, &x->reply);
    if (x->reply.progress == HTTP_PUT_OFF) {
        if (c)
            http_connection_enter(&t->connections, c, HTTP_IS_PUT_OFF, t->turn_ns);
        return MHD_YES;
    }
    exchange_observe(&t->context, x, connection);
    return send_reply(t, connection, x);
}

struct framing {
    unsigned n_lengths, n_encodings;
};

static enum MHD_Result count_framing(void *context, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct framing *f = context;
    (void)kind;
    (void)value;
    f->n_lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    f->n_encodings += strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

/* Where a proxy may see another end of the body than libmicrohttpd does, what follows could be smuggled past
 * it. */
static bool has_two_ends(struct MHD_Connection *connection)
{
    struct framing f = {0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_framing, &f);
    return f.n_lengths + f.n_encodings > 1;
}

/* The headers are there. A refused client that waits for "100 Continue", or that would send without end, is
 * answered at once and its connection closed. Any other is sending already: closing now would reset the
 * connection before the client has read why, so its body is read and thrown away first. */
static enum MHD_Result begin(struct http_thread *t, struct MHD_Connection *connection,
                             struct http_exchange *x)
{
    const char *text = find_header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long length = text ? strtoull(text, NULL, 10) : 0;
    size_t max = t->options->max_body_bytes;
    x->route = router_find(&x->request, find_header(connection, MHD_HTTP_HEADER_CONTENT_TYPE), &x->reply);
    x->place = router_place(x->route);
    x->n_announced = length;
    if (has_two_ends(connection)) {
        http_exchange_refuse(x, MHD_HTTP_BAD_REQUEST, "bad_request",
                             "a body has one Content-Length, or one Transfer-Encoding");
        return answer(t, connection, x);
    }
    if (x->route)
        http_admit(&t->door, x, address_of(connection), t->turn_ns);
    if (x->route && length > max)
        refuse_too_large(t, x);
    if (!x->route && (find_header(connection, MHD_HTTP_HEADER_EXPECT) || length / DISCARD_FACTOR > max))
        return answer(t, connection, x);
    return MHD_YES;
}

static enum MHD_Result take_body(struct http_thread *t, struct MHD_Connection *connection,
                                 struct http_exchange *x, const char *data, size_t n)
{
    size_t max = t->options->max_body_bytes;
    x->n_received += n;
    if (x->route && x->n_received > max)
        refuse_too_large(t, x);
    if (x->route)
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
    t->is_active = true;
    if (!x) {
        *state = x = http_exchange_take(&t->pool);
        if (!x)
            return MHD_NO;
        x->request.method = method;
        x->request.path = path;
        x->request.find_header = find_header;
        x->request.connection = connection;
        return begin(t, connection, x);
    }
    if (*n_data > 0) {
        size_t n = *n_data;
        *n_data = 0;
        return take_body(t, connection, x, data, n);
    }
    if (x->reply.progress == HTTP_PUT_OFF)
        return answer_late(t, connection, x);
    return answer(t, connection, x);
}

/* The request line is there: from now on a shutdown waits for the answer. */
static void *on_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_thread *t = context;
    struct http_connection *c = connection_of(connection);
    (void)uri;
    t->is_active = true;
    atomic_fetch_add(&t->n_begun, 1);
    if (c)
        http_connection_enter(&t->connections, c, HTTP_ASKS, t->turn_ns);
    return NULL;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct http_thread *t = context;
    struct http_connection *c = connection_of(connection);
    struct http_exchange *x = *state;
    (void)code;
    t->is_active = true;
    if (x && x->reply.progress == HTTP_PUT_OFF) /* it was answered, but nobody waited for that */
        observe_late(t, connection, x);
    if (x)
        http_exchange_return(&t->pool, x);
    *state = NULL;
    atomic_fetch_sub(&t->n_begun, 1);
    if (c)
        http_connection_enter(&t->connections, c, HTTP_RESTS, t->turn_ns);
}

/* Called before the handshake. */
static void begin_tls(const struct http_thread *t, struct MHD_Connection *connection,
                      struct http_connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info)
        c->identity = tls_begin(t->door.tls, info->tls_session);
}

/* Where there is no memory for it, the connection goes without a due time, but for libmicrohttpd's own; and
 * without a certificate, which ends it. */
static void on_connection(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_thread *t = context;
    t->is_active = true;
    struct http_connection *c = *state;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *state = c = http_connections_add(&t->connections, socket_of(connection), t->turn_ns);
        if (c && t->door.tls)
            begin_tls(t, connection, c);
    } else if (c) {
        tls_end(c->identity);
        http_connections_remove(&t->connections, c);
        *state = NULL;
    }
}

/* A path with an escaped end of a text, or an escaped slash, which proxies may see otherwise, stays escaped,
 * and is none that there is. */
static size_t on_unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    bool is_tricky = strstr(text, "%00") || strcasestr(text, "%2f");
    return is_tricky ? strlen(text) : MHD_http_unescape(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *context, const char *format, va_list args)
{
    char text[512];
    (void)context;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http: %s", text);
}

/* Until something comes, an order is given or a connection may be late. */
static void wait_for_events(const struct http_thread *t)
{
    struct pollfd fds[] = {{.fd = t->events, .events = POLLIN}, {.fd = t->order_fd, .events = POLLIN}};
    MHD_UNSIGNED_LONG_LONG due_ms = WAIT_MS;
    if (MHD_get_timeout(t->daemon, &due_ms) != MHD_YES || due_ms > WAIT_MS)
        due_ms = WAIT_MS;
    eventfd_t n_orders;
    if (poll(fds, 2, (int)due_ms) > 0 && fds[1].revents)
        eventfd_read(t->order_fd, &n_orders);
}

/* Who has connected is answered still. */
static void obey_quiesce(struct http_thread *t)
{
    MHD_socket own = MHD_quiesce_daemon(t->daemon);
    if (own == MHD_INVALID_SOCKET)
        return;
    struct sockaddr_storage from;
    for (;;) {
        socklen_t n = sizeof from;
        int fd = accept4(own, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 || MHD_add_connection(t->daemon, fd, (struct sockaddr *)&from, n) != MHD_YES)
            break;
    }
    close(own);
}

static void *run(void *context)
{
    struct http_thread *t = context;
    struct idle idle = {.poll = t->options->poll};
    bool is_quiet = false;
    while (!atomic_load_explicit(&t->stop, memory_order_relaxed)) {
        t->is_active = false;
        t->turn_ns = clock_now_ns();
        MHD_run(t->daemon);
        t->is_active |= http_company_answer(&t->context);
        if (!is_quiet && atomic_load_explicit(&t->quiesce, memory_order_relaxed)) {
            obey_quiesce(t);
            is_quiet = true;
        }
        http_connections_sweep(&t->connections, t->turn_ns);
        if (t->is_active)
            idle_end(&idle);
        else if (idle_sleeps(&idle))
            wait_for_events(t);
    }
    return NULL;
}

static void order(struct http_thread *t, atomic_bool *what)
{
    atomic_store(what, true);
    eventfd_write(t->order_fd, 1);
}

void http_thread_quiesce(struct http_thread *t)
{
    order(t, &t->quiesce);
}

unsigned http_thread_n_begun(const struct http_thread *t)
{
    return atomic_load(&t->n_begun);
}

/* libmicrohttpd wants to know where certificates come from, though each session is given its own. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
                          const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **chain,
                          unsigned *n_chain, gnutls_privkey_t *key)
{
    (void)session, (void)authorities, (void)n_authorities, (void)algorithms, (void)n_algorithms;
    (void)chain, (void)n_chain, (void)key;
    return -1;
}

static enum collide_status start_daemon(struct http_thread *t, struct collide_error *err)
{
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)no_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct http_options *o = t->options;
    unsigned worker = t->context.worker;
    int own = fcntl(t->door.listener, F_DUPFD_CLOEXEC, 0); /* each daemon closes its own */
    if (own < 0)
        return error_set(err, COLLIDE_IO, "out of file descriptors for HTTP thread %u", worker);
    unsigned share = (o->max_connections + o->n_threads - 1) / o->n_threads;
    t->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME |
                                     (t->door.tls ? MHD_USE_TLS : 0),
                                 0, NULL, NULL, on_request, t,                                        //
                                 MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,                            //
                                 MHD_OPTION_LISTEN_SOCKET, own,                                       //
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1,                                     //
                                 MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,                     //
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, t,                      //
                                 MHD_OPTION_URI_LOG_CALLBACK, on_begin, t,                            //
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, t,                        //
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, //
                                 MHD_OPTION_CONNECTION_LIMIT, share,                                  //
                                 MHD_OPTION_CONNECTION_TIMEOUT, o->idle_timeout_s, MHD_OPTION_ARRAY,
                                 t->door.tls ? tls : &tls[2], MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        t->daemon ? MHD_get_daemon_info(t->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!t->daemon)
        close(own);
    if (!info)
        return error_set(err, COLLIDE_IO, "cannot start HTTP thread %u; are there too many open files",
                         worker);
    t->events = info->epoll_fd;
    return COLLIDE_OK;
}

static enum collide_status start(struct http_thread *t, struct collide_error *err)
{
    t->order_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->order_fd < 0)
        return error_set(err, COLLIDE_IO, "out of file descriptors for HTTP thread %u", t->context.worker);
    enum collide_status status = start_daemon(t, err);
    if (status != COLLIDE_OK)
        return status;
    int failed = pthread_create(&t->thread, NULL, run, t);
    if (failed)
        return error_set_errno(err, COLLIDE_NO_MEMORY, failed, "cannot start HTTP thread %u",
                               t->context.worker);
    t->is_running = true;
    return COLLIDE_OK;
}

enum collide_status http_thread_create(const struct http_context *context, const struct http_options *options,
                                       const struct http_door *door, struct http_thread **out,
                                       struct collide_error *err)
{
    struct http_thread *t = calloc(1, sizeof *t);
    if (!t)
        return error_no_memory(err, "an HTTP thread");
    t->order_fd = -1;
    t->context = *context;
    t->options = options;
    t->door = *door;
    t->connections.idle_ns = (uint64_t)options->idle_timeout_s * 1000000000;
    t->connections.request_ns = (uint64_t)options->request_timeout_s * 1000000000;
    snprintf(t->too_large, sizeof t->too_large, "the body is larger than the limit of %zu bytes",
             options->max_body_bytes);
    t->context.company = http_company_create();
    enum collide_status status = t->context.company ? start(t, err) : error_no_memory(err, "an HTTP thread");
    if (status != COLLIDE_OK) {
        http_thread_destroy(t);
        return status;
    }
    *out = t;
    return COLLIDE_OK;
}

void http_thread_destroy(struct http_thread *t)
{
    if (!t)
        return;
    if (t->is_running) {
        order(t, &t->stop);
        pthread_join(t->thread, NULL);
    }
    if (t->daemon)
        MHD_stop_daemon(t->daemon);
    if (t->order_fd >= 0)
        close(t->order_fd);
    http_company_destroy(t->context.company);
    http_connections_free(&t->connections);
    http_exchange_pool_free(&t->pool);
    free(t);
}
