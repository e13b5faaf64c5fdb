/* Whole frames to and from an end of the virtual pair, past the kernel's protocols. */
#ifndef TESTS_NET_PACKET_SOCKET_H
#define TESTS_NET_PACKET_SOCKET_H

#include "net/veth.h"

#include <stddef.h>
#include <stdint.h>

void packet_read_mac(const struct veth *v, enum veth_side side, uint8_t mac[6]);

/* A socket for send() and packet_receive, which gives up after a second. */
int packet_open(const struct veth *v, enum veth_side side);

/* The next frame with a UDP datagram to this address, as it was on the wire; fails the test if there is none.
 */
size_t packet_receive(int fd, const uint8_t mac[6], uint8_t *bytes, size_t room);

#endif
