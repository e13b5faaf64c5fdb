/* In the service's place, for tests of transports: answers that a test can tell from what it sent, without a
 * device. Linking it replaces serve/burst.h. */
#ifndef TESTS_ECHO_SERVICE_H
#define TESTS_ECHO_SERVICE_H

#include "serve/burst.h"

#include <stdatomic.h>

/* An answer is its request with every bit flipped, and as long; a request that begins with ECHO_SILENCE gets
 * none, nor does one without bytes. */
enum { ECHO_SILENCE = 0xde };

/* What service_answer_burst has seen: pass it as the service. */
struct echo_service {
    atomic_uint n_datagrams, n_bursts;
    atomic_uint n_workers, n_sharing; /* workers that answered, that shared memory: a bit each */
    atomic_ullong oldest_ns;          /* the greatest age of a datagram */
    atomic_uint pause_us;             /* taken over each burst */
};

static inline struct service *echo_as_service(struct echo_service *e)
{
    return (struct service *)e;
}

#endif
