/* The thread behind every datagram transport: receive a burst, answer it, send the answers; run to
 * completion, with a worker of the service of its own. */
#ifndef NET_BURST_LOOP_H
#define NET_BURST_LOOP_H

#include "net/idle.h"
#include "serve/burst.h"

struct burst_port;

struct burst_port_make {
    /* What has come, up to max datagrams; does not wait. */
    size_t (*receive)(struct burst_port *p, struct datagram *burst, size_t max);

    /* Sends the answers of all that was last received; what has none is dropped. */
    void (*send)(struct burst_port *p, struct datagram *burst, size_t n);

    /* Sleeps until something may have come, or for timeout_ms. */
    void (*wait)(struct burst_port *p, unsigned timeout_ms);
};

/* Each make's port begins with this. Used by its loop's thread alone while that runs. */
struct burst_port {
    const struct burst_port_make *make;
};

struct burst_loop_options {
    struct service *service; /* borrowed */
    unsigned worker;
    enum poll_policy poll;
    int cpu; /* to be pinned to; -1: none */
};

struct burst_loop;

/* Borrows the port until burst_loop_stop. Returns owned. */
enum collide_status burst_loop_start(struct burst_port *port, const struct burst_loop_options *options,
                                     struct burst_loop **out, struct collide_error *err);

/* Answers the burst in hand and returns. NULL is fine. */
void burst_loop_stop(struct burst_loop *loop);

#endif
