#include "http/exchange.h"

#include "serve/reading.h"

#include <stdlib.h>

/* A buffer that one large request has blown up is not kept: every connection may have had one. */
static const size_t KEEP_BYTES = 64 << 10;

static struct buffer emptied(struct buffer *b)
{
    if (b->failed || b->capacity > KEEP_BYTES)
        buffer_free(b);
    b->n_bytes = 0;
    return *b;
}

void http_exchange_drop_body(struct http_exchange *x)
{
    x->route = NULL;
    service_reading_destroy(x->request.reading);
    x->request.reading = NULL;
    x->body = emptied(&x->body);
    x->n_unread = 0;
}

/* What a request starts from, with the buffers of the one before. */
static void begin_anew(struct http_exchange *x)
{
    http_exchange_drop_body(x);
    x->request.body = NULL;
    x->request.n_bytes = 0;
    x->request.client[0] = '\0';
    x->reply.status = 200;
    x->reply.content_type = "application/json";
    x->reply.n_headers = 0;
    x->reply.progress = HTTP_AT_ONCE;
    x->reply.observed.work = WORK_OTHER;
    x->reply.body = emptied(&x->reply.body);
    x->n_announced = x->n_received = 0;
    x->is_answered = false;
}

struct http_exchange *http_exchange_take(struct http_exchange_pool *pool)
{
    struct http_exchange *x = pool->first;
    if (x) {
        pool->first = x->next;
        return x;
    }
    x = calloc(1, sizeof *x);
    if (x)
        begin_anew(x);
    return x;
}

void http_exchange_return(struct http_exchange_pool *pool, struct http_exchange *x)
{
    begin_anew(x);
    x->next = pool->first;
    pool->first = x;
}

void http_exchange_pool_free(struct http_exchange_pool *pool)
{
    while (pool->first) {
        struct http_exchange *x = pool->first;
        pool->first = x->next;
        buffer_free(&x->body);
        buffer_free(&x->reply.body);
        free(x);
    }
}

void http_exchange_refuse(struct http_exchange *x, unsigned status, const char *code, const char *message)
{
    http_exchange_drop_body(x);
    http_reply_error(&x->reply, status, code, message);
}
