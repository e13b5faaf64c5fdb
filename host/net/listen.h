/* Addresses as people write them, and sockets that listen there. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "collide/status.h"

enum { LISTEN_ADDRESS_CHARS = 80 };

/* Listens on "HOST:PORT" or "[IPV6]:PORT", numeric or a name; without a host on every address; port 0 takes a
 * free one. The socket is the caller's; bound is where it listens in the end. */
enum collide_status listen_tcp(const char *address, int *out, char bound[LISTEN_ADDRESS_CHARS],
                               struct collide_error *err);

#endif
