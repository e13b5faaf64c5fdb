#include "net/http_exchange.h"

#include "api/json_v1.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A buffer that one large request has blown up is not kept: every connection may have had one. */
static const size_t KEEP_BYTES = 64 << 10;

struct http_exchange *http_exchange_take(struct http_exchange_pool *pool)
{
    struct http_exchange *x = pool->first;
    if (!x)
        return calloc(1, sizeof *x);
    pool->first = x->next;
    x->next = NULL;
    return x;
}

static struct buffer emptied(struct buffer *b)
{
    if (b->failed || b->capacity > KEEP_BYTES)
        buffer_free(b);
    b->n_bytes = 0;
    return *b;
}

void http_exchange_return(struct http_exchange_pool *pool, struct http_exchange *x)
{
    *x = (struct http_exchange){.body = emptied(&x->body), .reply = emptied(&x->reply), .next = pool->first};
    pool->first = x;
}

void http_exchange_pool_free(struct http_exchange_pool *pool)
{
    while (pool->first) {
        struct http_exchange *x = pool->first;
        pool->first = x->next;
        buffer_free(&x->body);
        buffer_free(&x->reply);
        free(x);
    }
}

void http_exchange_refuse(struct http_exchange *x, unsigned status, const char *code, const char *message)
{
    x->action = HTTP_REFUSE;
    x->status = status;
    x->reply.n_bytes = 0;
    json_v1_print_error(code, message, &x->reply);
}

static const struct route {
    const char *path;
    const char *allow;
    enum http_action action;
} routes[] = {
    {"/v1/score", "POST", HTTP_SCORE},      {"/v1/topk", "POST", HTTP_TOPK},
    {"/v1/model", "GET, HEAD", HTTP_MODEL}, {"/v1/transports", "GET, HEAD", HTTP_TRANSPORTS},
    {"/healthz", "GET, HEAD", HTTP_HEALTH}, {"/readyz", "GET, HEAD", HTTP_READY},
};

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    return strncasecmp(content_type, json, sizeof json - 1) == 0 &&
           strchr("; \t", content_type[sizeof json - 1]) != NULL;
}

void http_exchange_route(struct http_exchange *x, const char *method, const char *path,
                         const char *content_type)
{
    const struct route *route = NULL;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0] && !route; i++)
        if (strcmp(routes[i].path, path) == 0)
            route = &routes[i];
    if (!route) {
        http_exchange_refuse(
            x, 404, "not_found",
            "no such path; there are /v1/score, /v1/topk, /v1/model, /v1/transports, /healthz "
            "and /readyz");
        return;
    }
    bool posts = route->allow[0] == 'P';
    bool allowed =
        posts ? strcmp(method, "POST") == 0 : strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    x->action = route->action;
    x->status = 200;
    if (!allowed) {
        http_exchange_refuse(x, 405, "method_not_allowed",
                             posts ? "this path takes POST" : "this path takes GET");
        x->allow = route->allow;
    } else if (posts && content_type && !is_json(content_type)) {
        http_exchange_refuse(x, 415, "unsupported_media_type",
                             "send the body as Content-Type: application/json");
    }
}
