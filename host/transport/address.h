/* Internet addresses as people write them: "HOST:PORT" or "[IPV6]:PORT", the host numeric or a name. */
#ifndef TRANSPORT_ADDRESS_H
#define TRANSPORT_ADDRESS_H

#include "collide/status.h"

#include <netdb.h>

enum { ADDRESS_CHARS = 80 };

/* Without a host: every address to listen at, this machine to connect to. */
enum address_use { ADDRESS_TO_LISTEN, ADDRESS_TO_CONNECT };

/* All that the address stands for; the caller's, for freeaddrinfo. socket_type: SOCK_STREAM or SOCK_DGRAM. */
enum collide_status address_resolve(const char *address, int socket_type, enum address_use use,
                                    struct addrinfo **out, struct collide_error *err);

/* Where a socket is bound, numeric; "?" if it is not. */
void address_of_socket(int fd, char out[ADDRESS_CHARS]);

#endif
