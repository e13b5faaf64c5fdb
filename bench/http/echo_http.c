#include "echo_http.h"

#include "base/error.h"
#include "transport/address.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BODY_BYTES = 1 << 16, WAIT_MS = 100 };

/* A connection's body so far. One that is too long is cut. */
struct body {
    size_t n;
    char bytes[MAX_BODY_BYTES];
};

static void on_connection(void *context, struct MHD_Connection *connection, void **body,
                          enum MHD_ConnectionNotificationCode code)
{
    (void)context;
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *body = calloc(1, sizeof(struct body));
    else
        free(*body);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *n_data,
                                  void **state)
{
    struct body *body =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    (void)context;
    (void)path;
    (void)method;
    (void)version;
    if (!body)
        return MHD_NO;
    if (!*state) {
        *state = body;
        body->n = 0;
        return MHD_YES;
    }
    if (*n_data > 0) {
        size_t n = *n_data < MAX_BODY_BYTES - body->n ? *n_data : MAX_BODY_BYTES - body->n;
        memcpy(body->bytes + body->n, data, n);
        body->n += n;
        *n_data = 0;
        return MHD_YES;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->n, body->bytes, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

enum collide_status echo_http_run(const struct echo_options *options, const atomic_bool *stop,
                                  struct collide_error *err)
{
    struct addrinfo *found = NULL;
    enum collide_status status = address_resolve(options->where, SOCK_STREAM, ADDRESS_TO_LISTEN, &found, err);
    if (status != COLLIDE_OK)
        return status;
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL | (found->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL,
                         on_request, NULL, MHD_OPTION_SOCK_ADDR, found->ai_addr, MHD_OPTION_NOTIFY_CONNECTION,
                         on_connection, NULL, MHD_OPTION_END);
    freeaddrinfo(found);
    if (!daemon)
        return error_set(err, COLLIDE_IO, "cannot echo at %.64s", options->where);
    if (options->ready)
        options->ready(options->context, options->where);
    while (!atomic_load_explicit(stop, memory_order_relaxed))
        MHD_run_wait(daemon, options->kind == ECHO_HTTP_SPIN ? 0 : WAIT_MS);
    MHD_stop_daemon(daemon);
    return COLLIDE_OK;
}
