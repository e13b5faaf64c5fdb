#include "lanes.h"

#include "base/clock.h"
#include "base/error.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A lane's batches are drawn ahead: so many that no cache keeps their rows from one turn to the next. */
enum { N_LAUNCHES = 4000, N_BATCHES = 512, BATCH_IDS = LANE_QUERIES * LANE_BAG };

/* Holds threads back until all are ready. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned n_ready;
    enum { GATE_CLOSED, GATE_OPEN, GATE_CANCELLED } state;
};

struct lane_thread {
    pthread_t thread;
    struct gate *gate;
    struct kernel_case problem; /* a copy: each draws its own ids */
    struct kernels *kernels;
    uint32_t *ids; /* (N_BATCHES, BATCH_IDS) */
    struct kernel_run run;
    uint64_t start_ns, end_ns;
    enum collide_status status;
    struct collide_error err;
};

/* Says that a thread is ready; false: it need not run. */
static bool gate_wait(struct gate *g)
{
    pthread_mutex_lock(&g->mutex);
    g->n_ready++;
    pthread_cond_broadcast(&g->changed);
    while (g->state == GATE_CLOSED)
        pthread_cond_wait(&g->changed, &g->mutex);
    bool is_open = g->state == GATE_OPEN;
    pthread_mutex_unlock(&g->mutex);
    return is_open;
}

/* Lets n threads through, or those that wait go home. */
static void gate_open(struct gate *g, unsigned n_threads, unsigned n_wanted)
{
    pthread_mutex_lock(&g->mutex);
    while (g->n_ready < n_threads)
        pthread_cond_wait(&g->changed, &g->mutex);
    g->state = n_threads == n_wanted ? GATE_OPEN : GATE_CANCELLED;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->mutex);
}

static enum collide_status prepare(struct lane_thread *t)
{
    t->problem.handle.model = &t->problem.model;
    t->ids = malloc((size_t)N_BATCHES * BATCH_IDS * sizeof *t->ids);
    if (!t->ids)
        return error_no_memory(&t->err, "the lanes' batches");
    for (size_t i = 0; i < (size_t)N_BATCHES * BATCH_IDS; i++)
        t->ids[i] = kernel_case_draw(&t->problem);
    enum collide_status status = kernel_run_create(&kernel_bag, &t->problem, t->kernels, &t->run, &t->err);
    if (status == COLLIDE_OK)
        kernel_run_fill(&t->run);
    return status;
}

static void launch_all(struct lane_thread *t)
{
    t->start_ns = clock_now_ns();
    for (size_t i = 0; i < N_LAUNCHES && t->status == COLLIDE_OK; i++) {
        double ns;
        memcpy(t->run.fill.history, t->ids + i % N_BATCHES * BATCH_IDS, BATCH_IDS * sizeof *t->ids);
        t->status = kernel_run_batch(&t->run, &ns, &t->err);
    }
    t->end_ns = clock_now_ns();
}

static void *run_lane(void *context)
{
    struct lane_thread *t = context;
    t->status = prepare(t);
    if (gate_wait(t->gate) && t->status == COLLIDE_OK)
        launch_all(t);
    kernel_run_destroy(&t->run);
    free(t->ids);
    return NULL;
}

/* Joins n threads. *ns: from the first start to the last end. */
static enum collide_status join_all(struct lane_thread *threads, unsigned n, uint64_t *ns,
                                    struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    uint64_t start_ns = UINT64_MAX, end_ns = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct lane_thread *t = &threads[i];
        pthread_join(t->thread, NULL);
        start_ns = t->start_ns < start_ns ? t->start_ns : start_ns;
        end_ns = t->end_ns > end_ns ? t->end_ns : end_ns;
        if (t->status != COLLIDE_OK)
            status = error_set(err, t->status, "%s", t->err.text);
    }
    *ns = end_ns - start_ns;
    return status;
}

enum collide_status lanes_measure(const struct kernel_case *c, struct kernels *kernels, unsigned n_lanes,
                                  double *bags_per_us, struct collide_error *err)
{
    struct lane_thread *threads = calloc(n_lanes, sizeof *threads);
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, GATE_CLOSED};
    unsigned n = 0;
    uint64_t ns = 0;
    if (!threads)
        return error_no_memory(err, "the lanes' threads");
    for (; n < n_lanes; n++) {
        struct lane_thread *t = &threads[n];
        *t = (struct lane_thread){.gate = &gate, .problem = *c, .kernels = kernels};
        t->problem.shape.n_queries = LANE_QUERIES;
        t->problem.shape.bag = LANE_BAG;
        t->problem.rng = rng_seeded(n, 7);
        if (pthread_create(&t->thread, NULL, run_lane, t) != 0)
            break;
    }
    gate_open(&gate, n, n_lanes);
    enum collide_status status = join_all(threads, n, &ns, err);
    if (n < n_lanes)
        status = error_set(err, COLLIDE_NO_MEMORY,
                           "only %u of %u lanes have got a thread; take fewer --lanes", n, n_lanes);
    if (status == COLLIDE_OK)
        *bags_per_us = 1e3 * n_lanes * LANE_QUERIES * N_LAUNCHES / (double)ns;
    free(threads);
    return status;
}
