/* What libmicrohttpd calls while requests are on their way: from the headers to the answer. */
#ifndef HTTP_HANDLING_H
#define HTTP_HANDLING_H

#include "http/admission.h"
#include "http/connections.h"
#include "http/exchange.h"
#include "http/queue_limit.h"
#include "http/server.h"

#include <microhttpd.h>
#include <stdatomic.h>

/* One thread's requests and connections: the context of all below. */
struct http_handling {
    struct http_context context;
    const struct http_options *options;
    struct http_door door;
    bool is_active;   /* something has come in this turn */
    uint64_t turn_ns; /* when this turn began */
    struct queue_limit queue_limit;
    struct http_connections connections;
    struct http_exchange_pool pool;
    atomic_uint n_begun; /* requests whose first line has come and whose answer has not gone */
    char too_large[96];
};

void http_handling_init(struct http_handling *h, const struct http_context *context,
                        const struct http_options *options, const struct http_door *door);
void http_handling_free(struct http_handling *h);

/* The thread is about to look for what has come. */
void http_handling_begin_turn(struct http_handling *h);

/* MHD_AccessHandlerCallback, and what MHD_OPTION_URI_LOG_CALLBACK, _NOTIFY_COMPLETED and _NOTIFY_CONNECTION
 * take. */
enum MHD_Result http_on_request(void *handling, struct MHD_Connection *connection, const char *path,
                                const char *method, const char *version, const char *data, size_t *n_data,
                                void **state);
void *http_on_begin(void *handling, const char *uri, struct MHD_Connection *connection);
void http_on_completed(void *handling, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode code);
void http_on_connection(void *handling, struct MHD_Connection *connection, void **state,
                        enum MHD_ConnectionNotificationCode code);

#endif
