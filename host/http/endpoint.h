/* What answers requests: endpoints, in tables of routes. They know nothing of libmicrohttpd. */
#ifndef HTTP_ENDPOINT_H
#define HTTP_ENDPOINT_H

#include "net/api_keys.h"
#include "net/transports.h"
#include "serve/loader.h"

struct http_company;
struct service_reading;
struct service_request;

/* What endpoints answer from. Each thread has its own, and a worker of the service. */
struct http_context {
    struct service *service;
    unsigned worker;
    const struct transports *transports;
    struct loader *loader; /* NULL: nothing is loaded or unloaded by request */
    struct http_company *company;
};

enum { HTTP_MAX_NAMES = 2, HTTP_NAME_CHARS = 128 };

/* What has come. All borrowed until the endpoint returns. */
struct http_request {
    const char *method, *path;
    char names[HTTP_MAX_NAMES][HTTP_NAME_CHARS]; /* what the pattern's {} stand for, in order; else "" */
    const char *body;                            /* (n_bytes), not terminated */
    size_t n_bytes;
    struct service_reading
        *reading;                /* of a large body: what has read all before these last bytes; else NULL */
    char client[API_NAME_CHARS]; /* whose key it came with, else "" */
    uint64_t arrived_ns;         /* of clock_now_ns: when it was seen that its last byte had come */
    const char *(*find_header)(void *connection, const char *name); /* NULL: there is none */
    void *connection;
};

static inline const char *http_header(const struct http_request *r, const char *name)
{
    return r->find_header(r->connection, name);
}

enum { HTTP_MAX_HEADERS = 4, HTTP_HEADER_CHARS = 64 };

/* {"error": {"code": ..., "message": ...}}, or what the Open Inference Protocol has: {"error": "..."}. */
enum http_error_form { HTTP_ERROR_OBJECT, HTTP_ERROR_TEXT };

/* Of the observer, which hears of every request once. */
enum http_progress { HTTP_AT_ONCE, HTTP_PUT_OFF, HTTP_OBSERVED };

/* What goes. At first: 200, JSON, no further headers, empty. */
struct http_reply {
    unsigned status;
    enum http_error_form error_form; /* by the path */
    enum http_progress progress;
    void *resting_connection; /* of a reply that is put off */
    struct observed_request
        observed; /* of one that was put off: what it was at; work WORK_OTHER: it only waited */
    const char *content_type;
    struct buffer body;
    unsigned n_headers;
    struct http_reply_header {
        const char *name;
        char value[HTTP_HEADER_CHARS];
    } headers[HTTP_MAX_HEADERS];
};

unsigned http_status_of(enum collide_status status);

/* What a pattern's {} say, the first a model's name and the second a version: as far as there are any. */
struct model_choice http_model_choice(const struct http_request *request);

/* One more header; the name is not copied. */
void http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Throws away what the reply holds for an error. */
void http_reply_error(struct http_reply *reply, unsigned status, const char *code, const char *message);

/* For an answer that comes later: the endpoint returns, and the connection rests until http_reply_finish,
 * which any thread may call, once, when the reply is whole. The reply is valid until then; of the request,
 * its body and its names are. */
void http_reply_put_off(const struct http_request *request, struct http_reply *reply);
void http_reply_finish(struct http_reply *reply);

typedef void (*http_endpoint)(const struct http_context *context, const struct http_request *request,
                              struct http_reply *reply);

/* What a request asks of the service. False: the reply says what is wrong with it. */
typedef bool (*http_question)(const struct http_request *request, struct service_request *out,
                              struct http_reply *reply);

enum http_route_flag {
    HTTP_TAKES_JSON = 1, /* a Content-Type, where there is one, must be application/json */
    HTTP_IS_WORK = 2,    /* may be refused by an overloaded server, without a look at its body */
    HTTP_IS_OPEN = 4,    /* asks for no key: tells whether the server lives, and the like */
    HTTP_IS_ADMIN = 8,   /* changes or tells more than clients need: see --admin-listen */
};

struct http_route {
    const char *method;     /* "POST"; or "GET", which HEAD goes with */
    const char *pattern;    /* such as "/v2/models/{}/infer": a {} is a path's whole segment */
    http_endpoint answer;   /* NULL: the service answers the question */
    unsigned flags;         /* enum http_route_flag */
    http_question question; /* NULL: there is an answer, and the body is thrown away */
};

struct http_routes {
    const struct http_route *routes; /* (n) */
    size_t n;
};

/* Each in a file of its own name. */
extern const struct http_routes score_endpoints, observe_endpoints, oip_endpoints, openapi_endpoints;

#endif
