#include "http_url.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

static enum collide_status not_a_url(const char *text, struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID, "'%.200s' is not a server's URL such as http://127.0.0.1:8080",
                     text);
}

enum collide_status http_url_parse(const char *text, struct http_url *out, struct collide_error *err)
{
    static const char scheme[] = "http://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return not_a_url(text, err);
    const char *authority = text + sizeof scheme - 1;
    size_t n_authority = strcspn(authority, "/?#");
    const char *rest = authority + n_authority;
    if (*rest && strcmp(rest, "/") != 0)
        return error_set(err, COLLIDE_INVALID, "'%.200s' has a path: give that with --path", text);

    size_t is_bracketed = authority[0] == '[';
    const char *host = authority + is_bracketed;
    size_t n_host = strcspn(host, is_bracketed ? "]/" : ":/?#");
    const char *after = host + n_host + is_bracketed;
    const char *port = after < rest && *after == ':' ? after + 1 : rest;
    size_t n_port = (size_t)(rest - port);
    struct http_url url;
    if (n_host == 0 || n_host >= sizeof url.host || n_port >= sizeof url.port ||
        n_authority >= sizeof url.authority || (is_bracketed && host[n_host] != ']') ||
        (after < rest && (*after != ':' || n_port == 0)) || strspn(port, "0123456789") < n_port)
        return not_a_url(text, err);
    snprintf(url.host, sizeof url.host, "%.*s", (int)n_host, host);
    snprintf(url.port, sizeof url.port, "%.*s", n_port ? (int)n_port : 2, n_port ? port : "80");
    snprintf(url.authority, sizeof url.authority, "%.*s", (int)n_authority, authority);
    *out = url;
    return COLLIDE_OK;
}
