/* What stands behind struct service: the models, and what each thread needs to answer. */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include "api/wire_batch.h"
#include "serve/burst.h"
#include "serve/burst_times.h"
#include "serve/catalogue.h"

#include <pthread.h>
#include <stdatomic.h>

/* Memory for a burst's answers, which stays warm. */
struct burst_memory {
    struct wire_batch batch;
    struct score_job jobs[WIRE_BATCH_PARTS], *job_list[WIRE_BATCH_PARTS];
    float *scores; /* (n_scores) */
    struct collide_hit *hits;
    size_t n_scores, n_hits;
    struct burst_times times; /* of the last burst */
};

struct crowd_memory;
void crowd_memory_free(struct crowd_memory *m);

/* One thread's: what it is using, and memory that stays warm between requests. */
struct worker {
    _Alignas(64) _Atomic(const struct catalogue *) pinned; /* NULL: none */
    struct request request;                                /* of a call that comes alone */
    struct crowd_memory *crowd;                            /* NULL: no calls have come together so far */
    struct burst_memory *burst;                            /* NULL: no datagrams so far */
    void *shared_memory; /* (n_shared_bytes) where its datagrams lie; NULL: anywhere */
    size_t n_shared_bytes;
    struct burst_counts counts; /* written by its thread, each field read by any */
};

/* What is known of a model, loaded or not. Catalogues and versions borrow its name. */
struct model_entry {
    char *name, *path;
    char reason[sizeof((struct collide_error *)0)->text];
    bool is_unloaded;     /* because somebody wanted it so */
    uint64_t last_change; /* of models.n_changes: since when it has been as it is, where it is unavailable */
    uint64_t last_number; /* of the versions so far */
    uint64_t n_loads, n_failures, n_swaps;
    struct model_counts gone_counts; /* of versions that are destroyed */
    struct version_list leaving;     /* out of the catalogue, perhaps in use */
};

struct models {
    pthread_mutex_t loading; /* a load or unload from its begin to its end */
    pthread_mutex_t lock;    /* over what follows, but for moments; catalogues are exchanged under both */
    struct model_entry *entries[MODELS_MAX]; /* by number */
    size_t n_entries;
    uint64_t n_changes;
    bool has_started;              /* what the service was first given has been loaded */
    struct catalogue *leaving;     /* NULL, or the one before, perhaps pinned */
    struct model_entry *forgotten; /* NULL, or one that it tells of */
};

struct service {
    struct service_options options;
    struct observer *observer;
    atomic_bool is_ready; /* it has started, and there is a model to serve */
    atomic_bool draining;
    atomic_bool gains_from_company;        /* a model that is served lies on a device that queues work */
    atomic_size_t n_reading_bytes;         /* memory of requests that are read as they come */
    _Atomic(struct catalogue *) catalogue; /* never NULL */
    struct models models;
    struct worker workers[]; /* (n_workers) */
};

/* The catalogue, which stays until worker_unpin. Whoever exchanges it looks at all pins afterwards: it sees
 * this one, or this sees the exchange and pins again. */
static inline const struct catalogue *worker_pin(struct service *s, struct worker *w)
{
    const struct catalogue *c = atomic_load(&s->catalogue), *pinned;
    do {
        pinned = c;
        atomic_store(&w->pinned, pinned);
        c = atomic_load(&s->catalogue);
    } while (c != pinned);
    return pinned;
}

static inline void worker_unpin(struct worker *w)
{
    atomic_store_explicit(&w->pinned, NULL, memory_order_release);
}

enum collide_status models_init(struct service *s, struct collide_error *err);
void models_destroy(struct service *s);

#endif
