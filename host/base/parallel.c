#include "base/parallel.h"

#include "base/error.h"
#include "base/spin.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct helper {
    struct parallel *team;
    pthread_t thread;
    unsigned number;
};

struct parallel {
    unsigned n_threads;
    unsigned n_started; /* helpers running, n_threads - 1 of them once created */
    parallel_body body;
    void *context;
    size_t n;
    _Atomic uint64_t round;  /* grows by one per loop: helpers wait for it to move */
    _Atomic unsigned n_busy; /* helpers still in the current loop */
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct helper helpers[];
};

/* A loop of a training step takes tens of microseconds, far less than waking a sleeping thread: spin first.
 */
enum { SPINS_BEFORE_SLEEP = 20000 };

static void run_share(struct parallel *p, unsigned thread)
{
    size_t begin = p->n * thread / p->n_threads;
    size_t end = p->n * (thread + 1) / p->n_threads;
    p->body(p->context, thread, begin, end);
}

static void wait_for_round(struct parallel *p, uint64_t seen)
{
    for (int i = 0; i < SPINS_BEFORE_SLEEP; i++) {
        if (atomic_load_explicit(&p->round, memory_order_acquire) != seen)
            return;
        spin_pause();
    }
    pthread_mutex_lock(&p->lock);
    while (atomic_load_explicit(&p->round, memory_order_acquire) == seen)
        pthread_cond_wait(&p->wake, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void *helper_main(void *argument)
{
    struct helper *h = argument;
    for (uint64_t seen = 0;; seen++) {
        wait_for_round(h->team, seen);
        if (atomic_load(&h->team->stopping))
            return NULL;
        run_share(h->team, h->number);
        atomic_fetch_sub_explicit(&h->team->n_busy, 1, memory_order_release);
    }
}

static void start_round(struct parallel *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add_explicit(&p->round, 1, memory_order_release);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

enum collide_status parallel_create(unsigned n_threads, struct parallel **out, struct collide_error *err)
{
    if (n_threads < 1 || n_threads > 1024)
        return error_set(err, COLLIDE_INVALID, "%u threads asked for; give 1 to 1024", n_threads);
    struct parallel *p = calloc(1, sizeof *p + n_threads * sizeof p->helpers[0]);
    if (!p)
        return error_no_memory(err, "a thread team");
    p->n_threads = n_threads;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    for (unsigned i = 1; i < n_threads; i++) {
        struct helper *h = &p->helpers[i];
        *h = (struct helper){.team = p, .number = i};
        int failed = pthread_create(&h->thread, NULL, helper_main, h);
        if (failed) {
            parallel_destroy(p);
            return error_set_errno(err, COLLIDE_NO_MEMORY, failed, "cannot start thread %u", i);
        }
        p->n_started++;
    }
    *out = p;
    return COLLIDE_OK;
}

void parallel_destroy(struct parallel *p)
{
    if (!p)
        return;
    atomic_store(&p->stopping, true);
    start_round(p);
    for (unsigned i = 1; i <= p->n_started; i++)
        pthread_join(p->helpers[i].thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

unsigned parallel_n_threads(const struct parallel *p)
{
    return p->n_threads;
}

unsigned parallel_n_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

void parallel_for(struct parallel *p, size_t n, parallel_body body, void *context)
{
    p->n = n;
    p->body = body;
    p->context = context;
    if (p->n_threads > 1) {
        atomic_store_explicit(&p->n_busy, p->n_threads - 1, memory_order_relaxed);
        start_round(p);
    }
    run_share(p, 0);
    /* A helper may share this CPU: give it up now and then. */
    for (unsigned i = 0; atomic_load_explicit(&p->n_busy, memory_order_acquire) != 0; i++) {
        spin_pause();
        if (i % 1024 == 1023)
            sched_yield();
    }
}
