/* A faulty network: a namespace beyond the far one, whose frames to and from near pass through a thread in
 * far that loses, doubles, delays and breaks those of UDP. Its interface is VETH_INTERFACE, its addresses are
 * RELAY_IPV4 and RELAY_IPV6. */
#ifndef TESTS_NET_RELAY_H
#define TESTS_NET_RELAY_H

#include "base/rng.h"
#include "net/veth.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define RELAY_IPV4 "10.77.0.3"
#define RELAY_IPV6 "fd77::3"

enum relay_damage {
    DAMAGE_BIT,    /* one bit behind Ethernet's header, which a checksum always tells */
    DAMAGE_FORGED, /* some of the datagram's bytes, and the checksums made right again */
};

/* Each frame's chances of each, in percent. */
struct relay_faults {
    unsigned loss, doubling, delay, damage;
    enum relay_damage kind_of_damage;
    uint64_t seed;
};

struct relay_counts {
    atomic_uint_least64_t n_frames, n_lost, n_doubled, n_delayed, n_damaged; /* of UDP */
};

enum { RELAY_MAX_DELAYED = 32, RELAY_FRAME_BYTES = 2048 };

/* A frame that is overtaken by those that come in the next RELAY_DELAY_US. */
struct relay_delayed {
    uint64_t due_ns;
    int to; /* a socket */
    size_t n_bytes;
    uint8_t bytes[RELAY_FRAME_BYTES];
};

struct relay {
    char name[32]; /* of the namespace beyond */
    const struct veth *veth;
    struct relay_faults faults;
    struct relay_counts counts;
    struct rng rng;
    int sockets[2];
    struct relay_delayed delayed[RELAY_MAX_DELAYED]; /* the first come first */
    size_t n_delayed;
    pthread_t thread;
    atomic_bool is_to_stop;
};

/* Fails the running cmocka test when it cannot, as the others do. */
void relay_create(const struct veth *v, const struct relay_faults *faults, struct relay *out);
void relay_destroy(struct relay *r);

/* The calling thread and the sockets that it makes are in the namespace beyond. */
void relay_enter(const struct relay *r);

#endif
