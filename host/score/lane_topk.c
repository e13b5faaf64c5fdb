#include "score/lane.h"

#include "base/error.h"

#include <stdlib.h>

/* Queries that share a launch, and the parts that each is cut into. */
struct launch {
    size_t n;
    uint32_t n_parts;
};

/* Of a launch's row scores, and of its hits: more does not run faster. */
static const size_t MAX_BYTES = 32 << 20;

static size_t k_of(const struct collide_lane *lane, const struct collide_topk_query *query)
{
    size_t n_items = lane->scorer->model->items.n_ids;
    return query->k < n_items ? query->k : n_items;
}

static size_t row_score_bytes(const struct collide_lane *lane)
{
    return kernels_n_row_scores(lane->devices[0].kernels) * sizeof(float);
}

/* As many queries as fit, in parts enough for the busiest device, each of which has room for all of k. */
static struct launch plan_launch(const struct collide_lane *lane, const struct collide_topk_query *queries,
                                 size_t n)
{
    enum { MAX_QUERIES = 64 };
    struct launch launch = {.n_parts = 1};
    size_t hit_bytes = 0;
    for (; launch.n < n && launch.n < MAX_QUERIES; launch.n++) {
        size_t more = k_of(lane, &queries[launch.n]) * sizeof(device_hit);
        if (launch.n > 0 &&
            ((launch.n + 1) * row_score_bytes(lane) > MAX_BYTES || hit_bytes + more > MAX_BYTES))
            break;
        hit_bytes += more;
    }
    for (unsigned s = 0; s < lane->n_devices; s++) {
        size_t parts = lane->devices[s].kernels->max_parts / launch.n;
        launch.n_parts = parts > launch.n_parts ? (uint32_t)parts : launch.n_parts;
    }
    while (launch.n_parts > 1 && launch.n_parts * hit_bytes > MAX_BYTES)
        launch.n_parts /= 2;
    return launch;
}

/* Slots that hold these queries, and room to merge their hits. */
static enum collide_status reserve(struct collide_lane *lane, const struct collide_topk_query *queries,
                                   struct launch launch, struct collide_error *err)
{
    size_t n = launch.n;
    uint32_t dim = lane->scorer->model->model->dim;
    size_t n_hits = 0, largest_k = 1;
    struct fill_capacity wanted = {.n_queries = n};
    for (size_t i = 0; i < n; i++) {
        size_t k = k_of(lane, &queries[i]);
        wanted.n_history += fill_n_history(lane->scorer->model, &queries[i].query);
        wanted.n_items += queries[i].n_exclude;
        n_hits += k;
        largest_k = k > largest_k ? k : largest_k;
    }
    enum collide_status status = COLLIDE_OK;
    for (unsigned s = 0; s < lane->n_devices && status == COLLIDE_OK; s++) {
        struct device_lane *device = &lane->devices[s];
        wanted.n_row_scores = n * kernels_n_row_scores(device->kernels);
        wanted.n_scores = n_hits * launch.n_parts * (sizeof(device_hit) / sizeof(float));
        if (lane->scorer->is_sharded) {
            wanted.n_vectors = n * dim;
            wanted.n_scores = wanted.n_scores > n * (dim + 1) ? wanted.n_scores : n * (dim + 1);
        }
        status = device_lane_reserve(device, wanted, err);
    }
    if (status == COLLIDE_OK && largest_k > lane->n_entries) {
        struct scored_id *entries = realloc(lane->entries, largest_k * sizeof *entries);
        if (!entries)
            return error_no_memory(err, "the best items");
        lane->entries = entries;
        lane->n_entries = largest_k;
    }
    return status;
}

/* The best of what the parts, and the shards, have selected for query i. */
static size_t merge_hits(struct collide_lane *lane, const struct fill *fill, size_t i,
                         struct collide_hit *hits)
{
    const device_query *q = &fill->queries[i];
    struct topk best = {.entries = lane->entries, .capacity = q->k};
    for (unsigned s = 0; s < lane->n_devices; s++) {
        const device_hit *found =
            (const device_hit *)(device_lane_scores(&lane->devices[s], 0) + q->scores_begin);
        for (size_t j = 0; j < (size_t)q->n_parts * q->k; j++)
            if (found[j].id != ID_BY_KEY)
                topk_offer(&best, (struct scored_id){.score = found[j].score, .id = found[j].id});
    }
    topk_sort(&best);
    for (size_t j = 0; j < best.n; j++)
        hits[j] = (struct collide_hit){.item = id_index_key(&lane->scorer->model->items, best.entries[j].id),
                                       .score = best.entries[j].score};
    return best.n;
}

/* Queries that go together. */
static enum collide_status run(struct collide_lane *lane, const struct collide_topk_query *queries,
                               struct launch launch, struct fill *first, struct collide_error *err)
{
    static const enum scoring_kernel kernels[] = {KERNEL_ROWS, KERNEL_TOPK};
    struct fill fills[SCORER_MAX_DEVICES];
    for (unsigned s = 0; s < lane->n_devices; s++)
        fills[s] = device_lane_fill(&lane->devices[s], 0);
    for (size_t i = 0; i < launch.n; i++)
        fill_topk(&fills[0], &queries[i], launch.n_parts);
    enum collide_status status = COLLIDE_OK;
    if (lane->scorer->is_sharded)
        status = lane_pool_shards(lane, fills, err);
    for (unsigned s = 0; s < lane->n_devices; s++)
        fills[s].used.n_row_scores = launch.n * kernels_n_row_scores(lane->devices[s].kernels);
    if (status == COLLIDE_OK)
        status = lane_run_all(lane, kernels, 2, fills, err);
    *first = fills[0];
    return status;
}

static enum collide_status check(const struct collide_lane *lane, const struct collide_topk_query *queries,
                                 size_t n, struct collide_error *err)
{
    if (lane->scorer->is_sharded && lane->scorer->model->model->mapping.n_lookups > 1)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "top-k of a model with several lookups an id does not go over shards; replicate its tables");
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        status = fill_check(lane->scorer->model, &queries[i].query, i, err);
    return status;
}

enum collide_status collide_topk(struct collide_lane *lane, const struct collide_topk_query *queries,
                                 size_t n_queries, struct collide_hit *hits, size_t *n_hits,
                                 struct collide_counts *counts, struct collide_error *err)
{
    struct collide_counts seen = {0};
    enum collide_status status = check(lane, queries, n_queries, err);
    struct launch launch;
    for (size_t from = 0; from < n_queries && status == COLLIDE_OK; from += launch.n) {
        struct fill fill;
        launch = plan_launch(lane, queries + from, n_queries - from);
        status = reserve(lane, queries + from, launch, err);
        if (status == COLLIDE_OK)
            status = run(lane, queries + from, launch, &fill, err);
        for (size_t i = 0; i < launch.n && status == COLLIDE_OK; i++) {
            n_hits[from + i] = merge_hits(lane, &fill, i, hits);
            hits += queries[from + i].k;
        }
        if (status == COLLIDE_OK)
            counts_add(&seen, &fill.counts);
    }
    if (status == COLLIDE_OK && counts)
        *counts = seen;
    return status;
}
