/* Whether a request is answered here, and to whom: refused before its endpoint, and its body, are looked at.
 */
#ifndef HTTP_ADMISSION_H
#define HTTP_ADMISSION_H

#include "http/exchange.h"
#include "net/gate.h"
#include "net/tls.h"

/* A listener, as its threads see it. */
struct http_door {
    int listener;
    unsigned hidden; /* enum http_route_flag: routes with any of these are answered elsewhere */
    struct tls *tls; /* NULL: none */
    const struct gate *gate;
};

/* The client's name, where it has a key, becomes the request's. One that is refused already, for a path or
 * method that is not there, is only looked at for its client's rate. */
void http_admit(const struct http_door *door, struct http_exchange *x, const struct sockaddr *from,
                uint64_t now_ns);

#endif
