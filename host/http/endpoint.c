#include "http/endpoint.h"

#include "api/json_v1.h"
#include "api/oip.h"

#include <stdarg.h>
#include <stdio.h>

unsigned http_status_of(enum collide_status status)
{
    switch (status) {
    case COLLIDE_OK:
        return 200;
    case COLLIDE_INVALID:
        return 400;
    case COLLIDE_NOT_FOUND:
        return 404;
    case COLLIDE_BUSY:
        return 503;
    default:
        return 500;
    }
}

struct model_choice http_model_choice(const struct http_request *request)
{
    return (struct model_choice){.name = request->names[0][0] ? request->names[0] : NULL,
                                 .version = request->names[1][0] ? request->names[1] : NULL};
}

void http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
{
    if (reply->n_headers == HTTP_MAX_HEADERS)
        return;
    struct http_reply_header *h = &reply->headers[reply->n_headers++];
    h->name = name;
    va_list args;
    va_start(args, format);
    vsnprintf(h->value, sizeof h->value, format, args);
    va_end(args);
}

void http_reply_error(struct http_reply *reply, unsigned status, const char *code, const char *message)
{
    reply->status = status;
    reply->n_headers = 0;
    reply->body.n_bytes = 0;
    reply->content_type = "application/json";
    if (reply->error_form == HTTP_ERROR_TEXT)
        oip_print_error(message, &reply->body);
    else
        json_v1_print_error(code, message, &reply->body);
}
