/* http://HOST[:PORT] */
#ifndef BENCH_HTTP_URL_H
#define BENCH_HTTP_URL_H

#include "collide/status.h"

struct http_url {
    char host[256]; /* a name or address; IPv6 without brackets */
    char port[6];
    char authority[272]; /* as it stands in the URL, for the Host header */
};

/* Refuses anything but a server's root: paths are given separately. */
enum collide_status http_url_parse(const char *text, struct http_url *out, struct collide_error *err);

#endif
