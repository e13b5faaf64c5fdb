#include "score/batcher.h"

#include "base/clock.h"
#include "base/error.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_JOBS = 64 };

/* A call that waits, in its thread's stack. */
struct ticket {
    struct score_job *job;
    bool is_done;
    struct collide_error error;
};

struct batcher {
    unsigned max_delay_us, max_batch;
    pthread_mutex_t mutex;
    pthread_cond_t filled;         /* the leader waits for it */
    pthread_cond_t done;           /* the others */
    struct ticket *open[MAX_JOBS]; /* the batch that still takes calls */
    size_t n_open, n_queries;
    bool has_leader;
};

enum collide_status batcher_create(unsigned max_delay_us, unsigned max_batch, struct batcher **out,
                                   struct collide_error *err)
{
    struct batcher *b = calloc(1, sizeof *b);
    pthread_condattr_t monotonic;
    if (!b || pthread_condattr_init(&monotonic) != 0) {
        free(b);
        return error_no_memory(err, "the batcher");
    }
    b->max_delay_us = max_delay_us;
    b->max_batch = max_batch;
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->filled, &monotonic);
    pthread_cond_init(&b->done, NULL);
    pthread_condattr_destroy(&monotonic);
    *out = b;
    return COLLIDE_OK;
}

void batcher_destroy(struct batcher *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->mutex);
    pthread_cond_destroy(&b->filled);
    pthread_cond_destroy(&b->done);
    free(b);
}

static bool is_full(const struct batcher *b)
{
    return b->n_open == MAX_JOBS || b->n_queries >= b->max_batch;
}

/* Mutex held. */
static void wait_for_company(struct batcher *b)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    uint64_t ns = (uint64_t)deadline.tv_nsec + b->max_delay_us * 1000ull;
    deadline.tv_sec += (time_t)(ns / 1000000000u);
    deadline.tv_nsec = (long)(ns % 1000000000u);
    while (!is_full(b) && pthread_cond_timedwait(&b->filled, &b->mutex, &deadline) == 0)
        ;
}

static void run(struct collide_lane *lane, struct ticket *const *tickets, size_t n)
{
    struct score_job *jobs[MAX_JOBS];
    struct ticket *running[MAX_JOBS];
    struct collide_error err = {0};
    size_t n_jobs = 0;
    for (size_t i = 0; i < n; i++) { /* what one call wants too much of is its own failure */
        struct score_job *job = tickets[i]->job;
        if (lane_reserve_histories(lane, job->queries, job->n_queries, &tickets[i]->error) == COLLIDE_OK) {
            running[n_jobs] = tickets[i];
            jobs[n_jobs++] = job;
        }
    }
    enum collide_status status = lane_score(lane, jobs, n_jobs, &err);
    for (size_t i = 0; i < n_jobs && status != COLLIDE_OK; i++)
        running[i]->error = err;
}

/* Takes the open batch, which others may then begin anew, and runs it. Mutex held, but for the run. */
static void lead(struct batcher *b, struct collide_lane *lane)
{
    struct ticket *tickets[MAX_JOBS];
    b->has_leader = true;
    wait_for_company(b);
    size_t n = b->n_open;
    for (size_t i = 0; i < n; i++)
        tickets[i] = b->open[i];
    b->n_open = b->n_queries = 0;
    b->has_leader = false;
    pthread_cond_broadcast(&b->done); /* there is room again */
    pthread_mutex_unlock(&b->mutex);
    run(lane, tickets, n);
    pthread_mutex_lock(&b->mutex);
    for (size_t i = 0; i < n; i++)
        tickets[i]->is_done = true;
    pthread_cond_broadcast(&b->done);
}

enum collide_status batcher_score(struct batcher *b, struct collide_lane *lane, struct score_job *job,
                                  struct collide_error *err)
{
    struct ticket ticket = {.job = job};
    pthread_mutex_lock(&b->mutex);
    while (is_full(b)) /* its leader is about to take it */
        pthread_cond_wait(&b->done, &b->mutex);
    b->open[b->n_open++] = &ticket;
    b->n_queries += job->n_queries;
    if (!b->has_leader)
        lead(b, lane);
    else if (is_full(b))
        pthread_cond_signal(&b->filled);
    while (!ticket.is_done)
        pthread_cond_wait(&b->done, &b->mutex);
    pthread_mutex_unlock(&b->mutex);
    if (ticket.error.status != COLLIDE_OK)
        return error_set(err, ticket.error.status, "%s", ticket.error.text);
    return COLLIDE_OK;
}
