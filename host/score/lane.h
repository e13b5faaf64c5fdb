/* What stands behind the public struct collide_lane and struct collide_scorer. */
#ifndef SCORE_LANE_H
#define SCORE_LANE_H

#include "score/device_lane.h"
#include "score/topk.h"

#include <stdatomic.h>

enum { SCORER_MAX_DEVICES = 8 };

/* One call's queries, and where their scores go. */
struct score_job {
    const struct collide_query *queries;
    size_t n_queries;
    float *scores;
    struct collide_counts counts;
};

/* Checks a job's queries against the model, and makes room for their histories. */
enum collide_status lane_prepare(struct collide_lane *lane, const struct score_job *job,
                                 struct collide_error *err);

struct batcher;

struct collide_scorer {
    const struct collide_model *model;
    struct device *devices[SCORER_MAX_DEVICES];
    struct kernels *kernels[SCORER_MAX_DEVICES];
    unsigned n_devices;
    bool is_sharded;
    atomic_uint n_lanes;     /* created so far: the next one's device */
    struct batcher *batcher; /* NULL: calls are not put together */
    float *user_vectors;     /* see user_vectors.h; NULL: none */
};

struct collide_lane {
    struct collide_scorer *scorer;
    struct device_lane devices[SCORER_MAX_DEVICES]; /* of shards one each, else the first alone */
    unsigned n_devices;
    struct scored_id *entries; /* (n_entries), for merging hits */
    size_t n_entries;
};

/* As collide_scorer_create, beside a scorer on the same devices, with whose models this one's shares what
 * they have in common: the devices themselves, and kernels of the same shape. NULL: as if there were none. */
enum collide_status scorer_create_beside(const struct collide_scorer *beside,
                                         const struct collide_model *model,
                                         const struct collide_scorer_options *options,
                                         struct collide_scorer **out, struct collide_error *err);

/* Users are summed up anew from then on. Before any lane is created. */
void scorer_forget_user_vectors(struct collide_scorer *scorer);

/* Memory that requests come in, such as a network card's receive area: numbers of a query (see
 * collide_query.history_numbers) that lie in it are read there by the device, where devices can, else they
 * are copied as any. It may be written to at any time, but then what it held is not what is scored.
 * Page-aligned; borrowed until the lane is destroyed; once a lane. */
enum collide_status lane_share_memory(struct collide_lane *lane, void *memory, size_t n_bytes,
                                      struct collide_error *err);

/* Scores several calls' queries, which have been prepared, in as few launches as they fit in, on one device
 * or on shards. */
enum collide_status lane_score_jobs(struct collide_lane *lane, struct score_job *const *jobs, size_t n_jobs,
                                    struct collide_error *err);

/* The same on one device. */
enum collide_status lane_score(struct collide_lane *lane, struct score_job *const *jobs, size_t n_jobs,
                               struct collide_error *err);

/* The same over shards: each sums its share of the bags, the host pools them, each scores its share of the
 * rows. */
enum collide_status lane_score_sharded(struct collide_lane *lane, struct score_job *const *jobs,
                                       size_t n_jobs, struct collide_error *err);

/* Pools, over all shards, the bags of the queries that slot 0 of the first one is filled with; slot 0 of
 * every shard then has the queries, with their bags given. fills: (lane->n_devices), only the first one
 * filled. */
enum collide_status lane_pool_shards(struct collide_lane *lane, struct fill *fills,
                                     struct collide_error *err);

/* Submits slot 0 of every device and waits for all. */
enum collide_status lane_run_all(struct collide_lane *lane, const enum scoring_kernel *kernels,
                                 size_t n_kernels, const struct fill *fills, struct collide_error *err);

/* Slots of every device hold the longest history of the queries. */
enum collide_status lane_reserve_histories(struct collide_lane *lane, const struct collide_query *queries,
                                           size_t n, struct collide_error *err);

void counts_add(struct collide_counts *to, const struct collide_counts *from);

#endif
