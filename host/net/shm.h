/* The datagram protocol through shared memory, for clients on the same machine. A client connects to a Unix
 * socket and is given a ring of its own, as a sealed memory file: no client sees another's, and one that dies
 * takes nothing with it but its own. See docs/WIRE.md. */
#ifndef NET_SHM_H
#define NET_SHM_H

#include "net/burst_loop.h"

struct shm_options {
    const char *name; /* a word, or a path of a socket: see docs/WIRE.md */
    unsigned n_threads;
    unsigned first_worker;
    unsigned max_clients; /* of each thread */
    enum poll_policy poll;
    const int *cpus; /* (n_threads) to be pinned to; NULL: none */
};

struct shm_server;

enum collide_status shm_server_create(struct service *service, const struct shm_options *options,
                                      struct shm_server **out, struct collide_error *err);
void shm_server_destroy(struct shm_server *s);

#endif
