/* A serving thread's clients of shared memory, as a burst_port. */
#ifndef NET_SHM_PORT_H
#define NET_SHM_PORT_H

#include "net/burst_loop.h"
#include "transport/shm_ring.h"

struct shm_port;

/* Returns owned. max_clients: see shm_options. */
enum collide_status shm_port_create(unsigned max_clients, struct shm_port **out, struct collide_error *err);

/* Its loop must have been stopped. NULL is fine. */
void shm_port_destroy(struct shm_port *p);

/* The port for burst_loop_start. */
struct burst_port *shm_port_burst(struct shm_port *p);

/* Clients that it has or is about to take over; from any thread. */
unsigned shm_port_n_clients(const struct shm_port *p);

/* Hands a client over, from any one thread at a time; takes both the socket and the mapped ring. It joins
 * when the loop next looks. COLLIDE_NO_MEMORY: nothing was taken. */
enum collide_status shm_port_add(struct shm_port *p, int fd, struct shm_ring *ring);

#endif
