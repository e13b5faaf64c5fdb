/* A load of datagrams that come back as they went: what a transport costs without a service. */
#ifndef BENCH_ECHO_TRANSPORT_H
#define BENCH_ECHO_TRANSPORT_H

#include "client/channel.h"
#include "transport.h"

struct echo_settings {
    unsigned n_lanes;
    uint64_t timeout_ns; /* after which a datagram is lost */
    size_t n_bytes;      /* of each, 8 at least */
};

struct echo_transport;

/* Takes the channel, on failure too. Returns owned. */
enum collide_status echo_transport_create(struct channel *channel, const struct echo_settings *settings,
                                          struct echo_transport **out, struct collide_error *err);
void echo_transport_destroy(struct echo_transport *e);

/* Borrows e. What messages hold does not matter; the code of an echo is 0. */
struct transport echo_transport_of(struct echo_transport *e);

#endif
