/* One request and its reply while they are on the wire. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http/endpoint.h"

struct http_exchange {
    const struct http_route *route; /* NULL: refused; the reply says why */
    unsigned place;                 /* of the route that it was for, see router_place */
    struct http_request request;    /* its body is set once that is whole */
    struct http_reply reply;
    struct buffer body;         /* what has come of it and is not read yet */
    size_t n_unread;            /* of the body, when it was read last */
    uint64_t n_announced;       /* Content-Length, or 0 */
    uint64_t n_received;        /* bytes of the body, thrown away ones among them */
    bool is_answered;           /* before its body had come; what is left of that is thrown away */
    struct http_exchange *next; /* in a pool */
};

/* Exchanges not in use, their buffers warm; one thread's. */
struct http_exchange_pool {
    struct http_exchange *first;
};

struct http_exchange *http_exchange_take(struct http_exchange_pool *pool); /* NULL: out of memory */
void http_exchange_return(struct http_exchange_pool *pool, struct http_exchange *x);
void http_exchange_pool_free(struct http_exchange_pool *pool);

/* The exchange has its reply: what has come of the body, and what follows, is of no use. */
void http_exchange_drop_body(struct http_exchange *x);

/* Turns the exchange into an error's. */
void http_exchange_refuse(struct http_exchange *x, unsigned status, const char *code, const char *message);

#endif
