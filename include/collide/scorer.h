/* Scoring candidates for a user, on an OpenCL device.
 *
 *     emb(i)       = the row that i maps to, or several, summed, multiplied or concatenated
 *     bag(q)       = pool over i in ids(q) of  w_i * weights[i] * emb(i)
 *     score(q, c)  = logit_scale * < bag(q), emb(c) > + bias[c]
 *
 * which is remap + embedding-bag after "Learning to Collide" (Ghaemmaghami et al. 2022). ids(q) are those of
 * the history that the model stores for the user, of the one that the caller gives, of the features that the
 * caller gives, and the user's own where the model embeds users.
 *
 * Unknown ids: an item that the model does not know has the entry that the model keeps for it (as learned: a
 * zero vector and the lowest bias of all items), an unknown user an empty history. A query with nothing known
 * is scored by the biases alone, that is, by popularity. How many ids were unknown is counted, never an
 * error; but a model that knows no users at all refuses a query that has only a user.
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

/* What several devices do with the tables. */
enum collide_spread {
    COLLIDE_REPLICATE, /* each has all of them; lanes take turns */
    COLLIDE_SHARD, /* each has a share of the rows; every request goes to all of them. Refused: one device,
                      rows that are multiplied or max-pooled, a max_delay_us, a device binary, and by
                      collide_topk several lookups an id */
};

/* Whether kernels that are in no cache are built. */
enum collide_compiling {
    COLLIDE_COMPILES,
    COLLIDE_COMPILES_NOTHING, /* they must be there, or it is COLLIDE_UNSUPPORTED */
};

/* All zero: the best device, every choice by default. */
struct collide_scorer_options {
    const char *device; /* index, type (cpu, gpu, accelerator) or part of a name; several with commas between;
                           NULL: the best one */
    enum collide_spread spread;
    const char *engine;    /* "auto", "call", "direct", "queued" or "ring"; NULL: auto */
    const char *cache_dir; /* of device binaries, written by the first lane; NULL: collide/ in $XDG_CACHE_HOME
                              or ~/.cache; "": none */
    const char *kernels;   /* a device binary that collide_kernels_build wrote: nothing is compiled; NULL: the
                              cache's, or built from source */
    enum collide_compiling compiling;
    const char *tables;      /* "auto", "in-place" or "copied", see docs/KERNELS.md; NULL: auto */
    unsigned n_channels;     /* memory channels of an FPGA's board, over which tables are spread; 0: one */
    uint64_t max_bank_bytes; /* tables above it are split over banks; 0: what the device allocates at once */
    unsigned max_delay_us;   /* how long a collide_score may wait for others to share a launch with, on any
                                engine; 0: it does not. collide_topk never waits */
    unsigned max_batch;      /* queries that end the wait, as 64 calls do; 0: 1024 */
    /* For the sums of all users' bags, dim floats each, made once: a query that brings a user alone then sums
     * up no history, and scores the same. They are made where they fit; 0: never. Not over shards, nor of
     * means. */
    uint64_t max_user_vector_bytes;
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
    const char *engine;  /* static, as are the two below */
    const char *kernels; /* where they are from: "file", "cache" or "source" */
    const char *form;    /* of the kernels: "item", "group" or "pipeline" */
    unsigned n_devices;
    uint64_t table_bytes;       /* on one device */
    uint64_t in_place_bytes;    /* of them, read from the mapped file itself */
    uint64_t user_vector_bytes; /* of the host's memory; 0: there are none */
};

/* Of the first device. */
COLLIDE_API void collide_scorer_info(const struct collide_scorer *scorer, struct collide_scorer_info *out);

/* Builds the kernels that a scorer with these options would use, and writes them as a device binary, for
 * collide_scorer_options.kernels. A binary is for one device: COLLIDE_INVALID where options name several.
 * path NULL: they go to the cache alone, for as many devices as are named. Its options.kernels is not used;
 * options may be NULL. */
COLLIDE_API enum collide_status collide_kernels_build(const struct collide_model *model,
                                                      const struct collide_scorer_options *options,
                                                      const char *path, struct collide_error *err);

/* A thread's own way to the device: create one lane a thread. Created warm: every kernel has run once. A
 * history longer than any before makes a lane grow, which takes a fraction of a millisecond. Destroy lanes
 * before their scorer. */
struct collide_lane;

COLLIDE_API enum collide_status collide_lane_create(struct collide_scorer *scorer, struct collide_lane **out,
                                                    struct collide_error *err);
COLLIDE_API void collide_lane_destroy(struct collide_lane *lane);

/* The largest size of a request weight. */
#define COLLIDE_MAX_WEIGHT 1e6f

/* What a query says of a feature, such as "country": its ids join the bag as the history's items do. Of an id
 * that the model does not know, the feature's unknown entry does. */
struct collide_feature {
    const char *name;             /* not terminated; COLLIDE_INVALID: the model has no such feature */
    size_t n_bytes;               /* of name */
    const struct collide_id *ids; /* (n_ids) */
    const float *weights;         /* (n_ids), each at most COLLIDE_MAX_WEIGHT in size; NULL: all 1 */
    size_t n_ids;
};

/* All arrays are borrowed for the call. Callers whose ids are integers give them as they came: unsigned
 * numbers of number_bytes each, little-endian, at multiples of 4; nothing is converted. */
struct collide_query {
    const struct collide_id *user;    /* NULL: none */
    const struct collide_id *history; /* (n_history) */
    const void *history_numbers;      /* (n_history), in place of history; NULL: history has them */
    const float *weights;             /* (n_history), each at most COLLIDE_MAX_WEIGHT in size; NULL: all 1 */
    size_t n_history;
    const struct collide_feature *features; /* (n_features); a name may be there more than once */
    size_t n_features;
    const struct collide_id *items; /* (n_items) candidates */
    const void *item_numbers;       /* (n_items), in place of items; NULL: items has them */
    size_t n_items;
    unsigned number_bytes; /* 4 or 8; not used without numbers */
};

struct collide_counts {
    uint64_t n_lookups; /* ids looked up, stored histories not counted */
    uint64_t n_unknown; /* ids among them that the model does not know */
};

/* scores: (sum of n_items), candidate after candidate, query after query; undefined after a failure. counts
 * may be NULL. COLLIDE_INVALID names the query and what is wrong with it. */
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

/* For each query the k best of all items that the model has learned something of, best first; exact ties in
 * the order of their dense ids. hits: (sum of k), query after query; n_hits: (n_queries), how many of a
 * query's k there are. counts may be NULL. */
COLLIDE_API enum collide_status collide_topk(struct collide_lane *lane,
                                             const struct collide_topk_query *queries, size_t n_queries,
                                             struct collide_hit *hits, size_t *n_hits,
                                             struct collide_counts *counts, struct collide_error *err);

#ifdef __cplusplus
}
#endif
#endif
