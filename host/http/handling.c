#include "http/handling.h"

#include "api/json_v1.h"
#include "base/clock.h"
#include "http/company.h"
#include "http/connection_info.h"
#include "http/early.h"
#include "http/observe_exchange.h"
#include "http/router.h"
#include "serve/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* How many times the largest body is read and thrown away for the sake of an answer that arrives. */
enum { DISCARD_FACTOR = 8 };

static void refuse_no_memory(struct http_exchange *x)
{
    buffer_free(&x->body);
    buffer_free(&x->reply.body);
    http_exchange_refuse(x, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal", "out of memory for this request");
}

static struct http_connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Whether the client has closed its side and everything it sent has been read: see http/connections.h. */
static bool client_has_left(struct MHD_Connection *connection)
{
    char byte;
    return recv(connection_socket(connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Queues the exchange's reply, which stays in the exchange until the request is completed. */
static enum MHD_Result send_reply(struct http_handling *h, struct MHD_Connection *connection,
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
    if (service_state(h->context.service) == SERVICE_DRAINING)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *find_header(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void refuse_too_large(const struct http_handling *h, struct http_exchange *x)
{
    http_exchange_refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "too_large", h->too_large);
}

/* What is put off is told of when it is whole; as if it had waited so long, unless it knows better. */
static void observe_late(struct http_handling *h, struct MHD_Connection *connection, struct http_exchange *x)
{
    const struct http_connection *c = connection_of(connection);
    struct observer *o = service_observer(h->context.service);
    if (x->reply.observed.work != WORK_OTHER)
        *observer_current(o, h->context.worker) = x->reply.observed;
    else
        observer_begin(o, h->context.worker, c ? c->begun_ns : x->request.arrived_ns, x->request.arrived_ns);
    exchange_observe(&h->context, x, connection);
    x->reply.progress = HTTP_OBSERVED;
}

static enum MHD_Result answer_late(struct http_handling *h, struct MHD_Connection *connection,
                                   struct http_exchange *x)
{
    struct http_connection *c = connection_of(connection);
    if (c)
        http_connection_enter(&h->connections, c, HTTP_IS_ANSWERED, h->turn_ns);
    observe_late(h, connection, x);
    return send_reply(h, connection, x);
}

/* Told of a request that is answered now. */
static uint64_t begin_answer(struct http_handling *h, struct MHD_Connection *connection,
                             struct http_exchange *x)
{
    const struct http_connection *c = connection_of(connection);
    x->request.arrived_ns = h->turn_ns;
    return observer_begin(service_observer(h->context.service), h->context.worker,
                          c ? c->begun_ns : h->turn_ns, h->turn_ns);
}

static void answer_by_route(const struct http_context *context, struct http_exchange *x)
{
    struct service_request question;
    if (!x->route->question)
        x->route->answer(context, &x->request, &x->reply);
    else if (x->route->question(&x->request, &question, &x->reply))
        http_answer(context, &x->request, &question, &x->reply);
}

static enum MHD_Result answer(struct http_handling *h, struct MHD_Connection *connection,
                              struct http_exchange *x)
{
    struct http_connection *c = connection_of(connection);
    if (c)
        http_connection_enter(&h->connections, c, HTTP_IS_ANSWERED, h->turn_ns);
    x->request.body = x->body.bytes;
    x->request.n_bytes = x->body.n_bytes;
    uint64_t now_ns = begin_answer(h, connection, x);
    if (x->route && x->route->flags & HTTP_IS_WORK && queue_limit_refuses(&h->queue_limit, now_ns))
        http_exchange_refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE, "overloaded", "too busy; try again later");
    if (x->route)
        answer_by_route(&h->context, x);
    if (x->reply.progress == HTTP_PUT_OFF) {
        if (c)
            http_connection_enter(&h->connections, c, HTTP_IS_PUT_OFF, h->turn_ns);
        return MHD_YES;
    }
    exchange_observe(&h->context, x, connection);
    return send_reply(h, connection, x);
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

static void check_encoding(struct http_exchange *x, const char *encoding)
{
    if (encoding && strcasecmp(encoding, "identity") != 0)
        http_exchange_refuse(x, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type",
                             "compressed bodies are not taken; send it without a Content-Encoding");
}

/* The headers are there. A refused client that waits for "100 Continue", or that would send without end, is
 * answered at once and its connection closed. Any other is sending already: closing now would reset the
 * connection before the client has read why, so its body is read and thrown away first. */
static enum MHD_Result begin(struct http_handling *h, struct MHD_Connection *connection,
                             struct http_exchange *x)
{
    const char *text = find_header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long length = text ? strtoull(text, NULL, 10) : 0;
    size_t max = h->options->max_body_bytes;
    x->route = router_find(&x->request, find_header(connection, MHD_HTTP_HEADER_CONTENT_TYPE), &x->reply);
    x->place = router_place(x->route);
    x->n_announced = length;
    const char *encoding = find_header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    if (has_two_ends(connection) || (encoding && strcasecmp(encoding, "chunked") != 0)) {
        http_exchange_refuse(x, MHD_HTTP_BAD_REQUEST, "bad_request",
                             "a body has one Content-Length, or the Transfer-Encoding chunked and no other");
        return answer(h, connection, x);
    }
    http_admit(&h->door, x, connection_address(connection), h->turn_ns);
    if (x->route && x->route->question)
        check_encoding(x, find_header(connection, MHD_HTTP_HEADER_CONTENT_ENCODING));
    if (x->route && length > max)
        refuse_too_large(h, x);
    if (!x->route && (find_header(connection, MHD_HTTP_HEADER_EXPECT) || length / DISCARD_FACTOR > max))
        return answer(h, connection, x);
    return MHD_YES;
}

/* Bodies up to this are read when they are whole, where they lie; larger ones as they come. */
static const size_t WHOLE_BYTES = 64 << 10;

static enum collide_status begin_reading(struct http_handling *h, struct http_exchange *x,
                                         struct collide_error *err)
{
    struct service_request question;
    if (!x->route->question(&x->request, &question, &x->reply)) {
        http_exchange_drop_body(x);
        return COLLIDE_OK;
    }
    return service_reading_create(h->context.service, h->context.worker, &question, &x->request.reading, err);
}

/* What has not come whole is read once more only when it has doubled: however small the pieces are, a byte is
 * looked at a few times. */
static bool has_grown(const struct http_exchange *x)
{
    size_t step = x->n_unread < WHOLE_BYTES ? x->n_unread : WHOLE_BYTES;
    return x->body.n_bytes > 0 && x->body.n_bytes - x->n_unread >= step;
}

/* Reads what has come, and keeps what has not come whole. */
static enum collide_status read_on(struct http_exchange *x, struct collide_error *err)
{
    const struct request_text text = {x->body.bytes, x->body.n_bytes, .is_last = false};
    size_t n_read;
    enum collide_status status = service_read(x->request.reading, &text, &n_read, err);
    if (status == COLLIDE_OK)
        buffer_drop(&x->body, n_read);
    x->n_unread = x->body.n_bytes;
    return status;
}

/* What is wrong is said at once, unless all has come: then in the usual way, and the connection stays. */
static void stream_body(struct http_handling *h, struct MHD_Connection *connection, struct http_exchange *x)
{
    struct collide_error err = {0};
    enum collide_status status = x->request.reading ? COLLIDE_OK : begin_reading(h, x, &err);
    if (status == COLLIDE_OK && x->route)
        status = read_on(x, &err);
    if (status != COLLIDE_OK)
        http_exchange_refuse(x, http_status_of(status), json_v1_code(status), err.text);
    if (x->route || x->n_received == x->n_announced || !http_answer_early(connection, x))
        return;
    begin_answer(h, connection, x);
    exchange_observe(&h->context, x, connection);
}

static enum MHD_Result take_body(struct http_handling *h, struct MHD_Connection *connection,
                                 struct http_exchange *x, const char *data, size_t n)
{
    size_t max = h->options->max_body_bytes;
    x->n_received += n;
    if (x->route && x->n_received > max)
        refuse_too_large(h, x);
    if (x->route && x->route->question)
        buffer_append(&x->body, data, n);
    if (x->body.failed)
        refuse_no_memory(x);
    else if ((x->n_announced > WHOLE_BYTES || x->n_received > WHOLE_BYTES) && has_grown(x))
        stream_body(h, connection, x);
    bool is_cut_off = x->n_received < x->n_announced && client_has_left(connection);
    return is_cut_off || x->n_received / DISCARD_FACTOR > max ? MHD_NO : MHD_YES;
}

/* Of "http://HOST/PATH", as proxies are asked and servers may be, what counts here. */
static const char *origin_form(const char *path)
{
    const char *authority = strncasecmp(path, "http://", 7) == 0    ? path + 7
                            : strncasecmp(path, "https://", 8) == 0 ? path + 8
                                                                    : NULL;
    const char *slash = authority ? strchr(authority, '/') : path;
    return slash ? slash : "/";
}

/* libmicrohttpd calls this once when the headers are there (no exchange yet), then for each piece of the
 * body, and at the end with no bytes. */
enum MHD_Result http_on_request(void *handling, struct MHD_Connection *connection, const char *path,
                                const char *method, const char *version, const char *data, size_t *n_data,
                                void **state)
{
    struct http_handling *h = handling;
    struct http_exchange *x = *state;
    (void)version;
    h->is_active = true;
    if (!x) {
        *state = x = http_exchange_take(&h->pool);
        if (!x)
            return MHD_NO;
        x->request.method = method;
        x->request.path = origin_form(path);
        x->request.find_header = find_header;
        x->request.connection = connection;
        return begin(h, connection, x);
    }
    if (*n_data > 0) {
        size_t n = *n_data;
        *n_data = 0;
        return take_body(h, connection, x, data, n);
    }
    if (x->is_answered)
        return MHD_NO;
    if (x->reply.progress == HTTP_PUT_OFF)
        return answer_late(h, connection, x);
    return answer(h, connection, x);
}

/* The request line is there: from now on a shutdown waits for the answer. */
void *http_on_begin(void *handling, const char *uri, struct MHD_Connection *connection)
{
    struct http_handling *h = handling;
    struct http_connection *c = connection_of(connection);
    (void)uri;
    h->is_active = true;
    atomic_fetch_add(&h->n_begun, 1);
    if (c)
        http_connection_enter(&h->connections, c, HTTP_ASKS, h->turn_ns);
    return NULL;
}

void http_on_completed(void *handling, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode code)
{
    struct http_handling *h = handling;
    struct http_connection *c = connection_of(connection);
    struct http_exchange *x = *state;
    (void)code;
    h->is_active = true;
    if (x && x->reply.progress == HTTP_PUT_OFF) /* it was answered, but nobody waited for that */
        observe_late(h, connection, x);
    if (x)
        http_exchange_return(&h->pool, x);
    *state = NULL;
    atomic_fetch_sub(&h->n_begun, 1);
    if (c)
        http_connection_enter(&h->connections, c, HTTP_RESTS, h->turn_ns);
}

/* Called before the handshake. */
static void begin_tls(const struct http_handling *h, struct MHD_Connection *connection,
                      struct http_connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info)
        c->identity = tls_begin(h->door.tls, info->tls_session);
}

/* Where there is no memory for it, the connection goes without a due time, but for libmicrohttpd's own; and
 * without a certificate, which ends it. */
void http_on_connection(void *handling, struct MHD_Connection *connection, void **state,
                        enum MHD_ConnectionNotificationCode code)
{
    struct http_handling *h = handling;
    h->is_active = true;
    struct http_connection *c = *state;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *state = c = http_connections_add(&h->connections, connection_socket(connection), h->turn_ns);
        if (c && h->door.tls)
            begin_tls(h, connection, c);
    } else if (c) {
        tls_end(c->identity);
        http_connections_remove(&h->connections, c);
        *state = NULL;
    }
}

void http_handling_init(struct http_handling *h, const struct http_context *context,
                        const struct http_options *options, const struct http_door *door)
{
    *h = (struct http_handling){.context = *context, .options = options, .door = *door};
    h->turn_ns = clock_now_ns();
    h->queue_limit = queue_limit_of((uint64_t)options->max_queue_us * 1000);
    h->connections.idle_ns = (uint64_t)options->idle_timeout_s * 1000000000;
    h->connections.request_ns = (uint64_t)options->request_timeout_s * 1000000000;
    snprintf(h->too_large, sizeof h->too_large, "the body is larger than the limit of %zu bytes",
             options->max_body_bytes);
}

void http_handling_begin_turn(struct http_handling *h)
{
    uint64_t now_ns = clock_now_ns();
    queue_limit_turn(&h->queue_limit, now_ns - h->turn_ns);
    h->turn_ns = now_ns;
    h->is_active = false;
}

void http_handling_free(struct http_handling *h)
{
    http_connections_free(&h->connections);
    http_exchange_pool_free(&h->pool);
}
