#include "net/burst_loop.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/spin.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Waking a sleeping thread costs about as much as this. */
enum { ADAPTIVE_SPIN_NS = 50000, WAIT_MS = 100 };

struct burst_loop {
    struct burst_port *port;
    struct burst_loop_options options;
    atomic_bool stop;
    pthread_t thread;
};

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    int failed = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (failed)
        log_warning("cannot pin a thread to CPU %d: %s", cpu, strerror(failed));
}

static void idle(const struct burst_loop *l, uint64_t *idle_since_ns)
{
    if (l->options.poll == POLL_SPIN) {
        spin_pause();
        return;
    }
    uint64_t now_ns = clock_now_ns();
    if (*idle_since_ns == 0)
        *idle_since_ns = now_ns;
    if (l->options.poll == POLL_ADAPTIVE && now_ns - *idle_since_ns < ADAPTIVE_SPIN_NS)
        spin_pause();
    else
        l->port->make->wait(l->port, WAIT_MS);
}

static void *run(void *context)
{
    struct burst_loop *l = context;
    struct datagram burst[BURST_MAX];
    uint64_t idle_since_ns = 0;
    if (l->options.cpu >= 0)
        pin(l->options.cpu);
    while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
        size_t n = l->port->make->receive(l->port, burst, BURST_MAX);
        if (n == 0) {
            idle(l, &idle_since_ns);
            continue;
        }
        service_answer_burst(l->options.service, l->options.worker, burst, n);
        l->port->make->send(l->port, burst, n);
        idle_since_ns = 0;
    }
    return NULL;
}

enum collide_status burst_loop_start(struct burst_port *port, const struct burst_loop_options *options,
                                     struct burst_loop **out, struct collide_error *err)
{
    struct burst_loop *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "a transport's thread");
    l->port = port;
    l->options = *options;
    int failed = pthread_create(&l->thread, NULL, run, l);
    if (failed) {
        free(l);
        return error_set_errno(err, COLLIDE_NO_MEMORY, failed, "cannot start a transport's thread");
    }
    *out = l;
    return COLLIDE_OK;
}

void burst_loop_stop(struct burst_loop *l)
{
    if (!l)
        return;
    atomic_store(&l->stop, true);
    pthread_join(l->thread, NULL);
    free(l);
}
