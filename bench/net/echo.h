/* Echoes that do nothing but send back what comes: what a transport costs before anything is computed. */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include "collide/status.h"

#include <stdatomic.h>
#include <stdint.h>

enum echo_kind {
    ECHO_XDP,       /* AF_XDP, looking again and again */
    ECHO_UDP_SPIN,  /* the same on a socket */
    ECHO_UDP_BLOCK, /* a socket that sleeps until something comes */
    ECHO_HTTP_SPIN, /* libmicrohttpd, looking again and again */
    ECHO_HTTP_BLOCK,
};

struct echo_options {
    enum echo_kind kind;
    const char *where;                               /* "HOST:PORT"; of ECHO_XDP "IFACE[:QUEUE]" */
    uint16_t port;                                   /* of ECHO_XDP */
    void (*ready)(void *context, const char *where); /* called once it answers; NULL: nobody asks */
    void *context;
};

/* Echoes in this thread until *stop, which is looked at every 100 ms at least. */
enum collide_status echo_run(const struct echo_options *options, const atomic_bool *stop,
                             struct collide_error *err);

#endif
