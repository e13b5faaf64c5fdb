/* How a client's datagrams travel: one seam, with a make per transport. Used by one thread. */
#ifndef CLIENT_CHANNEL_H
#define CLIENT_CHANNEL_H

#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>

struct channel;

/* CHANNEL_SPIN looks again and again; CHANNEL_SLEEP lets the system wake it. */
enum channel_wait { CHANNEL_SPIN, CHANNEL_SLEEP };

struct channel_make {
    /* Room for one datagram of up to WIRE_MAX_BYTES; NULL: none is free before answers are received. */
    uint8_t *(*reserve)(struct channel *c);

    /* Queues what was last reserved. It may leave at once, or with flush. */
    enum collide_status (*send)(struct channel *c, size_t n_bytes, struct collide_error *err);
    enum collide_status (*flush)(struct channel *c, struct collide_error *err);

    /* The next datagram that has arrived, waited for until until_ns of clock_now_ns (0: not at all); *bytes
     * is NULL if there is none. Borrowed until the next receive. COLLIDE_IO: the other end is gone. */
    enum collide_status (*receive)(struct channel *c, uint64_t until_ns, const uint8_t **bytes,
                                   size_t *n_bytes, struct collide_error *err);
    void (*destroy)(struct channel *c);
};

/* Each make's channel begins with this. */
struct channel {
    const struct channel_make *make;
    size_t max_in_flight; /* datagrams that its user may leave unanswered; 0: no bound of its own */
};

/* address: "HOST:PORT", numeric or a name. */
enum collide_status channel_udp_create(const char *address, enum channel_wait wait, struct channel **out,
                                       struct collide_error *err);

/* name: as `serve --shm NAME` */
enum collide_status channel_shm_create(const char *name, enum channel_wait wait, struct channel **out,
                                       struct collide_error *err);

#endif
