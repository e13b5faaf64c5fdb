/* The datagram transports of a service, side by side. */
#ifndef NET_TRANSPORTS_H
#define NET_TRANSPORTS_H

#include "base/buffer.h"
#include "net/shm.h"
#include "net/udp.h"
#include "net/xdp.h"
#include "observe/prometheus.h"

/* Workers, and CPUs where there are any, are given out in the order of the fields. Of each transport's own
 * options first_worker, poll and cpus are filled in. */
struct transports_options {
    struct xdp_options xdp; /* n_queues 0: none */
    struct udp_options udp; /* n_threads 0: none */
    struct shm_options shm; /* n_threads 0: none */
    enum poll_policy poll;
    const int *cpus; /* (transports_n_threads) to be pinned to; NULL: only queues of XDP are, to one each */
    unsigned first_worker;
};

/* Threads, each with a worker of its own. */
unsigned transports_n_threads(const struct transports_options *options);

struct transports;

/* Before any other thread is started, for the sake of XDP's capabilities. Borrows the service. Returns owned.
 */
enum collide_status transports_create(struct service *service, const struct transports_options *options,
                                      struct transports **out, struct collide_error *err);
void transports_destroy(struct transports *t);

/* What is open and what has come, as JSON: the answer of GET /v1/transports. */
void transports_describe(const struct transports *t, struct buffer *out);

/* What only the system and the drivers know, for GET /metrics; t may be NULL. */
void transports_print_metrics(const struct transports *t, struct prometheus *p);

/* What is open for people, a line each. */
void transports_log(const struct transports *t);

#endif
