/* Sockets that listen. An address without a host, such as ":8080", is every one of the machine's; port 0
 * takes a free one. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "transport/address.h"

#include <stddef.h>

/* The socket is the caller's, and does not block; bound is where it listens in the end. */
enum collide_status listen_tcp(const char *address, int *out, char bound[ADDRESS_CHARS],
                               struct collide_error *err);

/* n sockets on one port, between which the system shares out what comes by its sender: (n) in out, the
 * caller's. */
enum collide_status listen_udp(const char *address, size_t n, int *out, char bound[ADDRESS_CHARS],
                               struct collide_error *err);

#endif
