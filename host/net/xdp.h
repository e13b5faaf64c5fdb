/* The datagram protocol over AF_XDP: frames go from the network driver's queue to this process and back
 * without the kernel's network stack. An XDP program of our own hands us our UDP port's frames and passes all
 * others. One thread, one socket and one worker of the service a queue; answers are written into the frames
 * that brought the requests. */
#ifndef NET_XDP_H
#define NET_XDP_H

#include "net/burst_loop.h"

enum { XDP_MAX_QUEUES = 64 };

struct xdp_options {
    const char *interface;
    unsigned queues[XDP_MAX_QUEUES];
    unsigned n_queues;
    uint16_t port; /* UDP, of IPv4 and IPv6 */
    unsigned first_worker;
    enum poll_policy poll;
    const int *cpus;       /* (n_queues) to be pinned to; NULL: none */
    unsigned busy_poll_us; /* a look that finds nothing runs the driver for so long; 0: interrupts do */
};

/* "IFACE", "IFACE:QUEUE" or "IFACE:QUEUE,QUEUE": fills interface, which borrows from text, and queues. */
enum collide_status xdp_interface_parse(char *text, struct xdp_options *out, struct collide_error *err);

struct xdp_server;

/* Attaches, and starts to answer; the program goes when the server or the process does. Then drops the
 * capabilities that this takes from the calling thread and those that it starts later, so create it before
 * any other thread. COLLIDE_UNSUPPORTED names the capabilities that are missing, or what the driver lacks. */
enum collide_status xdp_server_create(struct service *service, const struct xdp_options *options,
                                      struct xdp_server **out, struct collide_error *err);

/* How it is attached, such as "veth0, queues 0 and 1, native, copied". */
const char *xdp_server_description(const struct xdp_server *x);
void xdp_server_destroy(struct xdp_server *x);

/* Frames of all queues. Every frame is always in one place, so n_frames are found when nothing is under way;
 * drivers without copies hold up to their ring's size. Each thread counts its own between two bursts, when
 * asked: that takes up to 150 ms, and those that are busy for longer are left out of both counts. */
struct xdp_counts {
    uint64_t n_received, n_sent, n_dropped_fragments, n_dropped_malformed;
    uint64_t n_rx_other, n_rx_fill_empty, n_rx_invalid; /* the kernel's own, see XDP_STATISTICS */
    uint64_t n_frames, n_frames_found;
};

void xdp_server_counts(const struct xdp_server *x, struct xdp_counts *out);

#endif
