/* A client's channel over AF_XDP: datagrams go past the kernel's network stack on the client's side too. */
#ifndef BENCH_CHANNEL_XDP_H
#define BENCH_CHANNEL_XDP_H

#include "client/channel.h"

/* interface: "IFACE[:QUEUE]"; address: "HOST:PORT" of a neighbour there, whose Ethernet address the kernel is
 * asked for. Answers must come by that queue: it is the interface's only one, or the one that frames sent by
 * the same queue of the other end of a virtual pair arrive at. Returns owned. COLLIDE_UNSUPPORTED names
 * capabilities that are missing. */
enum collide_status channel_xdp_create(const char *interface, const char *address, enum channel_wait wait,
                                       struct channel **out, struct collide_error *err);

#endif
