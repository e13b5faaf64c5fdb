/* One request and its response while they are on the wire. */
#ifndef NET_HTTP_EXCHANGE_H
#define NET_HTTP_EXCHANGE_H

#include "base/buffer.h"

/* What is to be done with a request once its body is there. */
enum http_action {
    HTTP_SCORE,
    HTTP_TOPK,
    HTTP_MODEL,
    HTTP_TRANSPORTS,
    HTTP_HEALTH,
    HTTP_READY,
    HTTP_REFUSE, /* answer with status and the error in reply */
};

struct http_exchange {
    enum http_action action;
    unsigned status;
    const char *allow;    /* the Allow header of a 405, or NULL */
    uint64_t n_announced; /* Content-Length, or 0 */
    uint64_t n_received;  /* bytes of the body, thrown away ones among them */
    struct buffer body;
    struct buffer reply;
    struct http_exchange *next; /* in a pool */
};

/* Exchanges not in use, their buffers warm; one thread's. */
struct http_exchange_pool {
    struct http_exchange *first;
};

struct http_exchange *http_exchange_take(struct http_exchange_pool *pool); /* NULL: out of memory */
void http_exchange_return(struct http_exchange_pool *pool, struct http_exchange *x);
void http_exchange_pool_free(struct http_exchange_pool *pool);

/* Decides the action from the request line and the Content-Type (NULL: none). */
void http_exchange_route(struct http_exchange *x, const char *method, const char *path,
                         const char *content_type);

/* Turns the exchange into an error's. */
void http_exchange_refuse(struct http_exchange *x, unsigned status, const char *code, const char *message);

#endif
