/* What stands behind struct service: the model, and what each thread needs to answer. */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include "api/wire_batch.h"
#include "score/lane.h"
#include "serve/burst.h"

#include <stdatomic.h>

/* Memory for a burst's answers, which stays warm. */
struct burst_memory {
    struct wire_batch batch;
    struct score_job jobs[WIRE_BATCH_PARTS], *job_list[WIRE_BATCH_PARTS];
    float *scores; /* (n_scores) */
    struct collide_hit *hits;
    size_t n_scores, n_hits;
};

/* One thread's: its own way to the device, and memory that stays warm between requests. */
struct worker {
    struct collide_lane *lane;
    struct request request;     /* of JSON */
    struct burst_memory *burst; /* NULL: no datagrams so far */
    void *shared_memory;        /* (n_shared_bytes) where its datagrams lie; NULL: anywhere */
    size_t n_shared_bytes;
    struct burst_counts counts; /* written by its thread, each field read by any */
};

struct service {
    struct service_options options;
    atomic_bool loaded; /* set once everything below is there */
    atomic_bool draining;
    char *name;
    struct collide_model *model;
    struct collide_scorer *scorer;
    struct worker workers[]; /* (n_workers) */
};

static inline bool service_is_loaded(const struct service *s)
{
    return atomic_load_explicit(&s->loaded, memory_order_acquire);
}

#endif
