#include "net/echo_service.h"

#include "base/clock.h"

#include <unistd.h>

static void note_age(struct echo_service *e, const struct datagram *d)
{
    uint64_t now_ns = clock_now_ns();
    unsigned long long age_ns = d->arrived_ns ? now_ns - d->arrived_ns : 0;
    if (age_ns > atomic_load(&e->oldest_ns))
        atomic_store(&e->oldest_ns, age_ns);
}

void service_answer_burst(struct service *s, unsigned worker, struct datagram *burst, size_t n)
{
    struct echo_service *e = (struct echo_service *)s;
    unsigned pause_us = atomic_load(&e->pause_us);
    atomic_fetch_add(&e->n_bursts, 1);
    atomic_fetch_add(&e->n_datagrams, (unsigned)n);
    atomic_fetch_or(&e->n_workers, 1u << worker);
    if (pause_us)
        usleep(pause_us);
    for (size_t i = 0; i < n; i++) {
        struct datagram *d = &burst[i];
        note_age(e, d);
        d->n_reply_bytes = d->n_bytes == 0 || d->bytes[0] == ECHO_SILENCE ? 0 : d->n_bytes;
        for (size_t k = 0; k < d->n_bytes; k++)
            d->bytes[k] ^= 0xff;
    }
}

void service_burst_sent(struct service *s, unsigned worker, const struct datagram *burst, size_t n)
{
    (void)s;
    (void)worker;
    (void)burst;
    (void)n;
}

/* For as long as the process lives. */
static void *volatile kept[32];

void service_share_memory(struct service *s, unsigned worker, void *memory, size_t n_bytes)
{
    (void)n_bytes;
    kept[worker] = memory;
    atomic_fetch_or(&((struct echo_service *)s)->n_sharing, 1u << worker);
}
