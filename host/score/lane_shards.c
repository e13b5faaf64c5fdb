#include "score/lane.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum collide_status lane_run_all(struct collide_lane *lane, const enum scoring_kernel *kernels,
                                 size_t n_kernels, const struct fill *fills, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    unsigned n_submitted = 0;
    while (n_submitted < lane->n_devices && status == COLLIDE_OK) {
        status =
            device_lane_submit(&lane->devices[n_submitted], 0, kernels, n_kernels, &fills[n_submitted], err);
        n_submitted += status == COLLIDE_OK;
    }
    for (unsigned i = 0; i < n_submitted; i++) {
        enum collide_status last = device_lane_wait(&lane->devices[i], 0, status == COLLIDE_OK ? err : NULL);
        status = status == COLLIDE_OK ? last : status;
    }
    return status;
}

/* The other shards get what the first one was filled with. */
static void copy_fill(const struct fill *from, struct fill *to)
{
    to->used = from->used;
    memcpy(to->queries, from->queries, from->used.n_queries * sizeof *to->queries);
    memcpy(to->history, from->history, from->used.n_history * sizeof *to->history);
    memcpy(to->history_weights, from->history_weights, from->used.n_history * sizeof *to->history_weights);
    memcpy(to->items, from->items, from->used.n_items * sizeof *to->items);
}

/* Pooling over the shards' sums, by the kernels' rule; see bag_factor in kernels/bag.h. */
static double pooling_factor(const struct model *m, const double *sum, double weight)
{
    double length2 = 0.0;
    switch (m->pooling) {
    case POOLING_MEAN:
        return weight > 1e-15 ? 1.0 / weight : 0.0;
    case POOLING_NORMALISED:
        for (uint32_t d = 0; d < m->dim; d++)
            length2 += sum[d] * sum[d];
        return length2 > 1e-30 ? 1.0 / sqrt(length2) : 0.0;
    case POOLING_SUM:
    case POOLING_MAX: /* not sharded */
        break;
    }
    return 1.0;
}

/* The pooled bag of query i, from the shards' sums to the shards' vectors. */
static void pool_query(const struct collide_lane *lane, size_t i, double *sum)
{
    const struct model *m = lane->scorer->model->model;
    size_t at = i * (m->dim + 1);
    for (uint32_t d = 0; d < m->dim; d++) {
        sum[d] = 0.0;
        for (unsigned s = 0; s < lane->n_devices; s++)
            sum[d] += (double)device_lane_scores(&lane->devices[s], 0)[at + d];
    }
    /* Every shard weighs all ids, wherever their rows are. */
    double factor = pooling_factor(m, sum, (double)device_lane_scores(&lane->devices[0], 0)[at + m->dim]);
    for (unsigned s = 0; s < lane->n_devices; s++)
        for (uint32_t d = 0; d < m->dim; d++)
            device_lane_vectors(&lane->devices[s], 0)[i * m->dim + d] = (float)(sum[d] * factor);
}

enum collide_status lane_pool_shards(struct collide_lane *lane, struct fill *fills, struct collide_error *err)
{
    static const enum scoring_kernel kernel = KERNEL_BAG;
    const struct model *m = lane->scorer->model->model;
    size_t n = fills[0].used.n_queries, n_scores = fills[0].used.n_scores;
    double *sum = malloc(m->dim * sizeof *sum);
    uint32_t *scores_begin = malloc((n + 1) * sizeof *scores_begin);
    enum collide_status status = sum && scores_begin ? COLLIDE_OK : error_no_memory(err, "the shards' bags");
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
        scores_begin[i] = fills[0].queries[i].scores_begin;
        fills[0].queries[i].scores_begin = (uint32_t)(i * (m->dim + 1));
    }
    fills[0].used.n_scores = n * (m->dim + 1);
    for (unsigned s = 1; s < lane->n_devices && status == COLLIDE_OK; s++)
        copy_fill(&fills[0], &fills[s]);
    if (status == COLLIDE_OK)
        status = lane_run_all(lane, &kernel, 1, fills, err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
        pool_query(lane, i, sum);
        for (unsigned s = 0; s < lane->n_devices; s++) {
            fills[s].queries[i].scores_begin = scores_begin[i];
            fills[s].queries[i].flags |= QUERY_VECTOR;
        }
    }
    for (unsigned s = 0; s < lane->n_devices; s++) {
        fills[s].used.n_scores = n_scores;
        fills[s].used.n_vectors = n * m->dim;
    }
    free(sum);
    free(scores_begin);
    return status;
}

/* Each shard knows the products with its own rows, and the first one the biases. */
static void add_scores(const struct collide_lane *lane, size_t n, float *out)
{
    for (size_t j = 0; j < n; j++) {
        double score = 0.0;
        for (unsigned s = 0; s < lane->n_devices; s++)
            score += (double)device_lane_scores(&lane->devices[s], 0)[j];
        out[j] = (float)score;
    }
}

static enum collide_status score_job(struct collide_lane *lane, struct score_job *job,
                                     struct collide_error *err)
{
    static const enum scoring_kernel kernel = KERNEL_SCORE;
    const struct device_lane *first = &lane->devices[0];
    struct fill_position at = {0};
    float *scores = job->scores;
    while (at.query < job->n_queries) {
        struct fill fills[SCORER_MAX_DEVICES];
        for (unsigned s = 0; s < lane->n_devices; s++)
            fills[s] = device_lane_fill(&lane->devices[s], 0);
        fill_queries(&fills[0], job->queries, job->n_queries, &first->capacity, first->capacity.n_items, &at);
        counts_add(&job->counts, &fills[0].counts);
        enum collide_status status = lane_pool_shards(lane, fills, err);
        if (status == COLLIDE_OK)
            status = lane_run_all(lane, &kernel, 1, fills, err);
        if (status != COLLIDE_OK)
            return status;
        add_scores(lane, fills[0].used.n_items, scores);
        scores += fills[0].used.n_items;
    }
    return COLLIDE_OK;
}

/* A slot holds a bag for each of its queries, and the pooled one that it is given back. */
static enum collide_status reserve_bags(struct collide_lane *lane, struct collide_error *err)
{
    uint32_t dim = lane->scorer->model->model->dim;
    enum collide_status status = COLLIDE_OK;
    for (unsigned s = 0; s < lane->n_devices && status == COLLIDE_OK; s++) {
        size_t n = lane->devices[s].capacity.n_queries;
        status = device_lane_reserve(
            &lane->devices[s], (struct fill_capacity){.n_vectors = n * dim, .n_scores = n * (dim + 1)}, err);
    }
    return status;
}

enum collide_status lane_score_sharded(struct collide_lane *lane, struct score_job *const *jobs,
                                       size_t n_jobs, struct collide_error *err)
{
    enum collide_status status = reserve_bags(lane, err);
    for (size_t i = 0; i < n_jobs && status == COLLIDE_OK; i++)
        status = score_job(lane, jobs[i], err);
    return status;
}
