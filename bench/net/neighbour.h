/* The kernel's neighbour table: which Ethernet address an Internet address has. */
#ifndef BENCH_NEIGHBOUR_H
#define BENCH_NEIGHBOUR_H

#include "collide/status.h"

#include <stdint.h>
#include <sys/socket.h>

/* of: an IPv4 or IPv6 address that has just been sent to; waits up to a second for the kernel to find it. */
enum collide_status neighbour_find(unsigned interface_index, const struct sockaddr *of, uint8_t mac[6],
                                   struct collide_error *err);

#endif
