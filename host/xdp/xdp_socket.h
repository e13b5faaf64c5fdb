/* An AF_XDP socket on one queue of a network interface: frames in memory shared with the kernel, passed to
 * and fro through four rings. Every ring has room for every frame, so none is ever full. Used by one thread
 * at a time. See Documentation/networking/af_xdp.rst of Linux. */
#ifndef XDP_XDP_SOCKET_H
#define XDP_XDP_SOCKET_H

#include "collide/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    XDP_FRAME_BYTES = 2048, /* of memory that a frame has */
    XDP_KERNEL_BYTES = 256, /* of it that the kernel keeps ahead of what it receives */

    /* And how far behind that we ask for it: the datagram of an untagged IPv4 frame then lies at a cache
     * line, and the headers before it, and the time before those, in one; those of IPv6 and of tagged frames
     * lie at multiples of 4. */
    XDP_HEADROOM = 22,
    XDP_RECEIVED_AT = XDP_KERNEL_BYTES + XDP_HEADROOM,
    XDP_RECEIVED_MAX_BYTES = XDP_FRAME_BYTES - XDP_RECEIVED_AT,
};

struct xdp_socket_options {
    const char *interface;
    unsigned queue;
    uint8_t *memory;       /* (n_frames * XDP_FRAME_BYTES), of xdp_memory_allocate; borrowed */
    unsigned n_frames;     /* a power of two */
    unsigned n_receive;    /* frames meant for receiving; the others are for xdp_socket_reserve */
    unsigned busy_poll_us; /* a receive that finds nothing runs the driver for so long; 0: it does not */
};

/* A frame in hand. */
struct xdp_frame {
    uint8_t *bytes;
    uint32_t n_bytes;
    uint64_t arrived_ns; /* of clock_now_ns, from REDIRECT_STAMPS_ARRIVAL; 0: not known */
};

struct xdp_socket;

/* Zeroed, on huge pages where there are such; for free(). NULL: out of memory. */
uint8_t *xdp_memory_allocate(size_t n_frames);

/* Returns owned. Zero-copy if the driver can, else by copies. COLLIDE_UNSUPPORTED says what is missing;
 * COLLIDE_BUSY: another socket has the queue. */
enum collide_status xdp_socket_create(const struct xdp_socket_options *options, struct xdp_socket **out,
                                      struct collide_error *err);
void xdp_socket_destroy(struct xdp_socket *s);

int xdp_socket_fd(const struct xdp_socket *s);
bool xdp_socket_is_zero_copy(const struct xdp_socket *s);

/* Up to max frames that have come; they are in hand until queued or released. */
size_t xdp_socket_receive(struct xdp_socket *s, struct xdp_frame *out, size_t max);

/* A free frame into the hand, XDP_FRAME_BYTES of it; NULL: none is free. */
uint8_t *xdp_socket_reserve(struct xdp_socket *s);

/* Out of the hand, to be sent at the next flush: from any byte of a frame on, within it. */
void xdp_socket_queue(struct xdp_socket *s, const uint8_t *bytes, uint32_t n_bytes);

/* Out of the hand, unsent: any byte of a frame. */
void xdp_socket_release(struct xdp_socket *s, const uint8_t *bytes);

/* Sends what is queued, takes back what has been sent, and offers the kernel what is free. */
void xdp_socket_flush(struct xdp_socket *s);

/* Sleeps until something has come, or for timeout_ms. */
void xdp_socket_wait(struct xdp_socket *s, unsigned timeout_ms);

/* Where the frames are, by the rings' own pointers. What is missing from n_frames is in the kernel's hands:
 * none when nothing is under way and frames are copied; up to its ring with zero-copy drivers. */
struct xdp_census {
    uint32_t fill, rx, tx, completion;
    uint32_t in_hand, free; /* here */
    uint32_t n_frames;
};

void xdp_socket_census(const struct xdp_socket *s, struct xdp_census *out);

/* Sum of all places but n_frames. */
uint32_t xdp_census_found(const struct xdp_census *c);

/* The kernel's own count of frames that it dropped, since the socket was made. Any thread. */
struct xdp_drops {
    uint64_t n_rx_other; /* such as frames over XDP_RECEIVED_MAX_BYTES */
    uint64_t n_rx_fill_empty;
    uint64_t n_rx_invalid, n_tx_invalid;
};

void xdp_socket_drops(const struct xdp_socket *s, struct xdp_drops *out);

#endif
