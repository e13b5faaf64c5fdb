/* Our XDP program on a network interface: datagrams for one UDP port, of whatever address, go to AF_XDP
 * sockets, all else to the kernel: ARP, ping, ssh, queues without a socket, broadcasts, IPv6 with extension
 * headers. The kernel detaches it when the process ends, in whatever way. */
#ifndef XDP_REDIRECT_H
#define XDP_REDIRECT_H

#include "collide/status.h"

#include <stdint.h>

enum redirect_mode {
    REDIRECT_NATIVE,  /* in the driver */
    REDIRECT_GENERIC, /* behind it, where any interface will do */
    REDIRECT_BEST,    /* native, else generic */
};

enum redirect_flags {
    REDIRECT_STAMPS_ARRIVAL = 1, /* frames carry when they came, see struct xdp_frame */
};

struct redirect_options {
    const char *interface;
    uint16_t port;
    enum redirect_mode mode;
    unsigned flags;
};

struct redirect;

/* Returns owned. COLLIDE_UNSUPPORTED: capabilities lack, or the interface can do neither; COLLIDE_BUSY:
 * another program is attached. */
enum collide_status redirect_create(const struct redirect_options *options, struct redirect **out,
                                    struct collide_error *err);

/* Detaches. NULL is fine. */
void redirect_destroy(struct redirect *r);

/* How it is attached: REDIRECT_NATIVE or REDIRECT_GENERIC. */
enum redirect_mode redirect_mode(const struct redirect *r);

/* Receive queues of the interface. */
unsigned redirect_n_queues(const struct redirect *r);

/* From now on the queue's datagrams go to this AF_XDP socket, until that is closed. */
enum collide_status redirect_to_socket(struct redirect *r, unsigned queue, int socket_fd,
                                       struct collide_error *err);

/* Fragments of datagrams for the port that were dropped; of each datagram the first is counted. Any thread.
 */
uint64_t redirect_n_fragments(const struct redirect *r);

#endif
