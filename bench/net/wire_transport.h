/* A load over the datagram protocol: the client library as a transport. */
#ifndef BENCH_WIRE_TRANSPORT_H
#define BENCH_WIRE_TRANSPORT_H

#include "client/channel.h"
#include "collide/client.h"
#include "transport.h"

struct wire_transport;

/* Takes the client, on failure too; it must allow n_lanes requests in flight. wait: as its
 * channel's, and between requests too. Returns owned. */
enum collide_status wire_transport_create(struct collide_client *client, unsigned n_lanes,
                                          enum channel_wait wait, struct wire_transport **out,
                                          struct collide_error *err);
void wire_transport_destroy(struct wire_transport *w);

/* Borrows w. Messages are struct collide_request; the code of a completion is an enum collide_answer_code. */
struct transport wire_transport_of(struct wire_transport *w);

/* Requests asked again so far. */
uint64_t wire_transport_n_retries(const struct wire_transport *w);

#endif
