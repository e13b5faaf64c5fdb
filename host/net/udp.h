/* The datagram protocol over UDP sockets: the fallback that works everywhere, and the baseline of AF_XDP.
 * Each thread has a socket of its own on the same port (SO_REUSEPORT). */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "net/burst_loop.h"

struct udp_options {
    const char *listen; /* HOST:PORT */
    unsigned n_threads; /* workers first_worker .. of the service */
    unsigned first_worker;
    enum poll_policy poll;
    const int *cpus; /* (n_threads) to be pinned to; NULL: none */
};

struct udp_server;

enum collide_status udp_server_create(struct service *service, const struct udp_options *options,
                                      struct udp_server **out, struct collide_error *err);

/* Where it listens, such as "127.0.0.1:9000". */
const char *udp_server_address(const struct udp_server *u);

/* Of all threads. What is larger than a datagram may be is counted by the service. */
struct udp_counts {
    uint64_t n_not_sent; /* answers that the kernel did not take: no room, or no way to the client */
    uint64_t n_dropped;  /* datagrams that found the sockets' buffers full */
};

void udp_server_counts(const struct udp_server *u, struct udp_counts *out);
void udp_server_destroy(struct udp_server *u);

#endif
