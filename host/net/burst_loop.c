#include "net/burst_loop.h"

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WAIT_MS = 100 };

struct burst_loop {
    struct burst_port *port;
    struct burst_loop_options options;
    atomic_bool stop;
    pthread_t thread;
};

static void *run(void *context)
{
    struct burst_loop *l = context;
    struct datagram burst[BURST_MAX];
    struct idle idle = {.poll = l->options.poll};
    if (l->options.cpu >= 0)
        idle_pin(l->options.cpu);
    while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
        size_t n = l->port->make->receive(l->port, burst, BURST_MAX);
        if (n > 0) {
            service_answer_burst(l->options.service, l->options.worker, burst, n);
            l->port->make->send(l->port, burst, n);
            service_burst_sent(l->options.service, l->options.worker, burst, n);
            idle_end(&idle);
        } else if (idle_sleeps(&idle)) {
            l->port->make->wait(l->port, WAIT_MS);
        }
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
