#include "score/user_vectors.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

uint64_t user_vectors_bytes(const struct model *m)
{
    bool has_bags = m->histories.offsets || m->user_is_embedded;
    return has_bags && m->pooling != POOLING_MEAN ? (uint64_t)m->user.n_ids * m->dim * sizeof(float) : 0;
}

/* Users [from, from + n), as many as a slot holds. */
static enum collide_status make(struct device_lane *lane, uint32_t from, size_t n, float *out,
                                struct collide_error *err)
{
    static const enum scoring_kernel kernel = KERNEL_BAG;
    const uint32_t dim = lane->model->model->dim;
    const size_t bag_floats = dim + 1; /* and its weight */
    struct fill fill = device_lane_fill(lane, 0);
    for (size_t i = 0; i < n; i++) {
        struct collide_id user = id_index_key(&lane->model->users, from + (uint32_t)i);
        fill_histories(&fill, &(struct collide_query){.user = &user});
        fill.queries[i].scores_begin = (uint32_t)(i * bag_floats);
        fill.queries[i].flags |= QUERY_SUM;
    }
    fill.used.n_scores = n * bag_floats;
    enum collide_status status = device_lane_submit(lane, 0, &kernel, 1, &fill, err);
    if (status == COLLIDE_OK)
        status = device_lane_wait(lane, 0, err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        memcpy(out + i * dim, device_lane_scores(lane, 0) + i * bag_floats, dim * sizeof *out);
    return status;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum collide_status make_all(struct device_lane *lane, float *out, struct collide_error *err)
{
    const struct model *m = lane->model->model;
    size_t n_at_once = min_size(lane->capacity.n_queries, lane->capacity.n_scores / (m->dim + 1));
    enum collide_status status = COLLIDE_OK;
    for (size_t from = 0, n; from < m->user.n_ids && status == COLLIDE_OK; from += n) {
        n = min_size(n_at_once, m->user.n_ids - from);
        status = make(lane, (uint32_t)from, n, out + from * m->dim, err);
    }
    return status;
}

enum collide_status user_vectors_create(struct collide_scorer *scorer, uint64_t max_bytes, float **out,
                                        struct collide_error *err)
{
    uint64_t n_bytes = user_vectors_bytes(scorer->model->model);
    struct collide_lane *lane = NULL;
    *out = NULL;
    if (n_bytes == 0 || n_bytes > max_bytes || scorer->is_sharded)
        return COLLIDE_OK;
    float *vectors = malloc(n_bytes);
    if (!vectors)
        return error_no_memory(err, "the users' vectors");
    enum collide_status status = collide_lane_create(scorer, &lane, err);
    if (status == COLLIDE_OK)
        status = make_all(&lane->devices[0], vectors, err);
    collide_lane_destroy(lane);
    if (status != COLLIDE_OK) {
        free(vectors);
        return status;
    }
    *out = vectors;
    return COLLIDE_OK;
}
