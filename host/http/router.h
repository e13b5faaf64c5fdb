/* Which endpoint a request line is for. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/endpoint.h"

/* All tables of routes: (*n). */
const struct http_routes *const *router_tables(size_t *n);

/* The route, with the request's names filled in. NULL: there is none, and reply is the error's, of 404 or of
 * 405 with its Allow, or of 415 if the type does not suit. content_type: NULL for none. */
const struct http_route *router_find(struct http_request *request, const char *content_type,
                                     struct http_reply *reply);

/* A route's place among those of all tables; of NULL: one past the last. */
unsigned router_place(const struct http_route *route);

#endif
