/* Scoring candidates for a user, on an OpenCL device.
 *
 *     bag(q)       = pool over i in history(q) of  w_i * weights[i] * row(remap[i])
 *     score(q, c)  = logit_scale * < bag(q), row(remap[c]) > + bias[c]
 *
 * which is remap + embedding-bag after "Learning to Collide" (Ghaemmaghami et al. 2022). history(q) is the
 * history that the model stores for the user, the one that the caller gives, or both together.
 *
 * Unknown ids: an item that the model does not know has the entry that the model keeps for it (as learned: a
 * zero vector and the lowest bias of all items), an unknown user an empty history. A query with nothing known
 * is scored by the biases alone, that is, by popularity. How many ids were unknown is counted, never an
 * error; but a model that stores no histories at all refuses a query that has only a user.
 *
 * Scores are computed in single precision: a normalised bag whose items cancel out has no direction that it
 * could find, and one longer than about 1e18 is taken for zero. */
#ifndef COLLIDE_SCORER_H
#define COLLIDE_SCORER_H

#include "collide/id.h"
#include "collide/model.h"
#include "collide/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model placed on a device, its kernels built. Shared between threads. */
struct collide_scorer;

struct collide_scorer_options {
    const char *device; /* index, type (cpu, gpu, accelerator) or part of a name; NULL: the best one */
    const char *engine; /* "auto", "direct" or "queued"; NULL: auto */
    const char
        *cache_dir; /* of device binaries; NULL: ~/.cache/collide or $XDG_CACHE_HOME/collide; "": none */
};

/* The first call of a process sets POCL_DEVICES in the environment unless it is set, so that PoCL offers the
 * device that runs in its caller: make it before other threads read the environment. options may be NULL.
 * Borrows the model until collide_scorer_destroy. Returns owned. */
COLLIDE_API enum collide_status collide_scorer_create(const struct collide_model *model,
                                                      const struct collide_scorer_options *options,
                                                      struct collide_scorer **out, struct collide_error *err);
COLLIDE_API void collide_scorer_destroy(struct collide_scorer *scorer);

struct collide_scorer_info {
    const char *device; /* valid until collide_scorer_destroy */
    const char *platform;
    const char *engine; /* static */
    int kernels_from_cache;
    int tables_in_place; /* the device reads the mapped file itself, all of it */
};

COLLIDE_API void collide_scorer_info(const struct collide_scorer *scorer, struct collide_scorer_info *out);

/* A thread's own way to the device: create one lane a thread. Created warm: every kernel has run once. A
 * history longer than any before makes a lane grow, which takes a fraction of a millisecond. Destroy lanes
 * before their scorer. */
struct collide_lane;

COLLIDE_API enum collide_status collide_lane_create(struct collide_scorer *scorer, struct collide_lane **out,
                                                    struct collide_error *err);
COLLIDE_API void collide_lane_destroy(struct collide_lane *lane);

/* The largest size of a request weight. */
#define COLLIDE_MAX_WEIGHT 1e6f

/* All arrays are borrowed for the call. */
struct collide_query {
    const struct collide_id *user;    /* NULL: none */
    const struct collide_id *history; /* (n_history) */
    const float *weights;             /* (n_history), each at most COLLIDE_MAX_WEIGHT in size; NULL: all 1 */
    size_t n_history;
    const struct collide_id *items; /* (n_items) candidates */
    size_t n_items;
};

struct collide_counts {
    uint64_t n_lookups; /* ids looked up, stored histories not counted */
    uint64_t n_unknown; /* ids among them that the model does not know */
};

/* scores: (sum of n_items), candidate after candidate, query after query; undefined after a failure.
 * counts may be NULL. Errors:
 * COLLIDE_INVALID names the query and what is wrong with it. */
COLLIDE_API enum collide_status collide_score(struct collide_lane *lane, const struct collide_query *queries,
                                              size_t n_queries, float *scores, struct collide_counts *counts,
                                              struct collide_error *err);

enum collide_topk_flags {
    COLLIDE_TOPK_EXCLUDE_SEEN = 1, /* leave out what the query's histories hold */
};

struct collide_topk_query {
    struct collide_query query; /* its items are not used: all of the model's are candidates */
    size_t k;
    const struct collide_id *exclude; /* (n_exclude) */
    size_t n_exclude;
    unsigned flags;
};

struct collide_hit {
    struct collide_id item; /* its text is valid until the model is closed */
    float score;
};

/* The k best of all items that the model has learned something of, best first; exact ties in the order of
 * their dense ids. hits: room for k; *n_hits: how many there are. counts may be NULL. */
COLLIDE_API enum collide_status collide_topk(struct collide_lane *lane,
                                             const struct collide_topk_query *query, struct collide_hit *hits,
                                             size_t *n_hits, struct collide_counts *counts,
                                             struct collide_error *err);

#ifdef __cplusplus
}
#endif
#endif
