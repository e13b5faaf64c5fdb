#include "http/router.h"

#include <string.h>
#include <strings.h>

static const struct http_routes *const tables[] = {&score_endpoints, &oip_endpoints, &observe_endpoints,
                                                   &openapi_endpoints};

const struct http_routes *const *router_tables(size_t *n)
{
    *n = sizeof tables / sizeof tables[0];
    return tables;
}

unsigned router_place(const struct http_route *route)
{
    unsigned before = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; before += (unsigned)tables[i++]->n)
        if (route >= tables[i]->routes && route < tables[i]->routes + tables[i]->n)
            return before + (unsigned)(route - tables[i]->routes);
    return before;
}

/* Takes a path's segment for a {}: whole, not empty. */
static bool take_name(const char **path, char name[HTTP_NAME_CHARS])
{
    size_t n = strcspn(*path, "/");
    if (n == 0 || n >= HTTP_NAME_CHARS)
        return false;
    memcpy(name, *path, n);
    name[n] = '\0';
    *path += n;
    return true;
}

static bool matches(const char *pattern, struct http_request *request)
{
    const char *path = request->path;
    size_t n_names = 0;
    for (size_t i = 0; i < HTTP_MAX_NAMES; i++) /* not what another pattern has found */
        request->names[i][0] = '\0';
    while (*pattern) {
        if (pattern[0] == '{') {
            if (!take_name(&path, request->names[n_names++]))
                return false;
            pattern += 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool has_method(const struct http_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    return strncasecmp(content_type, json, sizeof json - 1) == 0 &&
           strchr("; \t", content_type[sizeof json - 1]) != NULL;
}

static const struct http_route *refuse_method(bool gets, bool posts, struct http_reply *reply)
{
    http_reply_error(reply, 405, "method_not_allowed",
                     gets && posts ? "this path takes GET and POST"
                     : posts       ? "this path takes POST"
                                   : "this path takes GET");
    http_reply_header(reply, "Allow", "%s%s%s", gets ? "GET, HEAD" : "", gets && posts ? ", " : "",
                      posts ? "POST" : "");
    return NULL;
}

static enum http_error_form error_form_of(const char *path)
{
    static const char oip[] = "/v2";
    size_t n = sizeof oip - 1;
    return strncmp(path, oip, n) == 0 && (path[n] == '\0' || path[n] == '/') ? HTTP_ERROR_TEXT
                                                                             : HTTP_ERROR_OBJECT;
}

const struct http_route *router_find(struct http_request *request, const char *content_type,
                                     struct http_reply *reply)
{
    bool gets = false, posts = false;
    reply->error_form = error_form_of(request->path);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (size_t k = 0; k < tables[i]->n; k++) {
            const struct http_route *route = &tables[i]->routes[k];
            if (!matches(route->pattern, request))
                continue;
            if (has_method(route, request->method)) {
                if (!(route->flags & HTTP_TAKES_JSON) || !content_type || is_json(content_type))
                    return route;
                http_reply_error(reply, 415, "unsupported_media_type",
                                 "send the body as Content-Type: application/json");
                return NULL;
            }
            gets |= route->method[0] == 'G';
            posts |= route->method[0] == 'P';
        }
    if (gets || posts)
        return refuse_method(gets, posts, reply);
    http_reply_error(reply, 404, "not_found", "no such path; docs/HTTP.md lists those there are");
    return NULL;
}
