/* What tells machines of all the others. */
#include "http/endpoint.h"
#include "http/openapi.h"

static void document(const struct http_context *c, const struct http_request *request,
                     struct http_reply *reply)
{
    (void)c;
    (void)request;
    buffer_append(&reply->body, openapi_json, openapi_json_bytes);
}

static const struct http_route routes[] = {{"GET", "/openapi.json", document, 0, NULL}};

const struct http_routes openapi_endpoints = {routes, sizeof routes / sizeof routes[0]};
