/* One version of a model, ready to answer: opened and checked, on its device, with a warm lane for each
 * worker. */
#ifndef SERVE_MODEL_VERSION_H
#define SERVE_MODEL_VERSION_H

#include "model/collisions.h"
#include "score/lane.h"
#include "serve/file_stamp.h"

struct model_counts {
    uint64_t n_requests, n_lookups, n_unknown;
};

/* A worker's part of a version, a cache line of its own. */
struct version_seat {
    _Alignas(64) struct collide_lane *lane;
    struct model_counts counts; /* written by the worker alone, each field read by any */
};

struct model_version {
    const char *name; /* borrowed */
    uint64_t number;
    char *path;
    struct file_stamp stamp;
    struct collide_model *model;
    struct collisions *collisions; /* of collisions_of_spaces, owned */
    struct collide_scorer *scorer;
    bool is_queued;          /* its device queues work, so that requests gain from one launch for several */
    uint64_t resident_bytes; /* the file's, and what is copied from it for devices */
    unsigned n_seats;
    struct version_seat seats[]; /* (n_seats) */
};

struct service;

struct version_source {
    const char *name; /* borrowed until the version is destroyed */
    uint64_t number;
    const char *path;
    uint64_t used_bytes;                 /* by what stays loaded, for the service's limit */
    const struct collide_scorer *beside; /* of any that stays loaded until then; NULL: there is none */
};

/* The service's options and workers are those of service_create. COLLIDE_BUSY: service_drain was called
 * meanwhile. Returns owned. */
enum collide_status model_version_load(const struct service *s, const struct version_source *source,
                                       struct model_version **out, struct collide_error *err);

/* No worker may use it any more. NULL is fine. */
void model_version_destroy(struct model_version *v);

/* By the seat's worker. */
void version_seat_count(struct version_seat *seat, uint64_t n_requests, const struct collide_counts *counts);

/* Adds what all workers have counted. */
void model_version_add_counts(const struct model_version *v, struct model_counts *out);

#endif
