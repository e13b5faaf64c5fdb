/* A process in the far namespace that echoes datagrams through AF_XDP sockets, and tells how it fares. */
#ifndef TESTS_NET_FRAME_ECHO_H
#define TESTS_NET_FRAME_ECHO_H

#include "net/veth.h"
#include "xdp/redirect.h"
#include "xdp/xdp_socket.h"

#include <stdatomic.h>

enum { ECHO_PORT = 9100, ECHO_MAX_QUEUES = 2 };

/* In memory that both processes see. */
struct echo_state {
    atomic_int is_ready, stop;
    enum collide_status status; /* of its set-up */
    struct collide_error error;
    enum redirect_mode mode;
    _Atomic unsigned n_echoed[ECHO_MAX_QUEUES], n_refused, n_stamped;
    _Atomic uint64_t n_fragments;
    struct xdp_census census[ECHO_MAX_QUEUES]; /* when it had stopped */
};

struct frame_echo {
    struct echo_state *state;
    pid_t process;
};

enum echo_wait { ECHO_SPINS, ECHO_SLEEPS };

struct frame_echo_options {
    enum redirect_mode mode;
    unsigned n_queues;
    unsigned busy_poll_us;
    enum echo_wait wait;
    void (*before)(void); /* called in the process, first; or NULL */
};

/* Returns once it is set up or has failed to be. */
void frame_echo_start(struct frame_echo *e, const struct veth *v, const struct frame_echo_options *options);

/* Ends it: by itself, or by a signal. The state stays until frame_echo_free. */
void frame_echo_stop(struct frame_echo *e);
void frame_echo_kill(struct frame_echo *e);
void frame_echo_free(struct frame_echo *e);

#endif
