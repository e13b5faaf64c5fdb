#include "score/lane.h"

#include "base/error.h"

#include <stdlib.h>

static uint32_t n_parts(const struct device_lane *device)
{
    return device->kernels->tables.params.n_parts;
}

/* Shards have parts of their own; hits have as much room on each. */
static uint32_t most_parts(const struct collide_lane *lane)
{
    uint32_t most = 1;
    for (unsigned s = 0; s < lane->n_devices; s++)
        most = n_parts(&lane->devices[s]) > most ? n_parts(&lane->devices[s]) : most;
    return most;
}

static size_t k_of(const struct collide_lane *lane, const struct collide_topk_query *query)
{
    size_t n_items = lane->scorer->model->items.n_ids;
    return query->k < n_items ? query->k : n_items;
}

/* How many queries share a launch: as far as their row scores and hits fit in this much memory. */
static size_t n_together(const struct collide_lane *lane, const struct collide_topk_query *queries, size_t n)
{
    enum { MAX_QUERIES = 64, MAX_BYTES = 32 << 20 };
    size_t row_bytes = kernels_n_row_scores(lane->devices[0].kernels) * sizeof(float), n_bytes = 0, i = 0;
    for (; i < n && i < MAX_QUERIES; i++) {
        n_bytes += row_bytes + k_of(lane, &queries[i]) * most_parts(lane) * sizeof(device_hit);
        if (i > 0 && n_bytes > MAX_BYTES)
            break;
    }
    return i;
}

/* Slots that hold these queries, and room to merge their hits. */
static enum collide_status reserve(struct collide_lane *lane, const struct collide_topk_query *queries,
                                   size_t n, struct collide_error *err)
{
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
        wanted.n_scores = n_hits * most_parts(lane) * (sizeof(device_hit) / sizeof(float));
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
        for (size_t j = 0; j < (size_t)n_parts(&lane->devices[s]) * q->k; j++)
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
static enum collide_status run(struct collide_lane *lane, const struct collide_topk_query *queries, size_t n,
                               struct fill *first, struct collide_error *err)
{
    static const enum scoring_kernel kernels[] = {KERNEL_ROWS, KERNEL_TOPK};
    struct fill fills[SCORER_MAX_DEVICES];
    for (unsigned s = 0; s < lane->n_devices; s++)
        fills[s] = device_lane_fill(&lane->devices[s], 0);
    for (size_t i = 0; i < n; i++)
        fill_topk(&fills[0], &queries[i], most_parts(lane));
    enum collide_status status = COLLIDE_OK;
    if (lane->scorer->is_sharded)
        status = lane_pool_shards(lane, fills, err);
    for (unsigned s = 0; s < lane->n_devices; s++)
        fills[s].used.n_row_scores = n * kernels_n_row_scores(lane->devices[s].kernels);
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
    for (size_t from = 0, n; from < n_queries && status == COLLIDE_OK; from += n) {
        struct fill fill;
        n = n_together(lane, queries + from, n_queries - from);
        status = reserve(lane, queries + from, n, err);
        if (status == COLLIDE_OK)
            status = run(lane, queries + from, n, &fill, err);
        for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
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
