#include "score/user_vectors.h"

#include "base/error.h"
#include "base/least.h"
#include "base/log.h"
#include "device/host_pages.h"

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

static enum collide_status make_all(struct device_lane *lane, float *out, struct collide_error *err)
{
    const struct model *m = lane->model->model;
    size_t n_at_once = least(lane->capacity.n_queries, lane->capacity.n_scores / (m->dim + 1));
    enum collide_status status = COLLIDE_OK;
    for (size_t from = 0, n; from < m->user.n_ids && status == COLLIDE_OK; from += n) {
        n = least(n_at_once, m->user.n_ids - from);
        status = make(lane, (uint32_t)from, n, out + from * m->dim, err);
    }
    return status;
}

/* A fraction of a second's work: a server has other models to answer for meanwhile. */
static const uint64_t MAX_STORED = 1 << 24;

/* Sums are the same wherever devices are alike, and cost a copy where they have memory of their own. */
static bool suits_devices(const struct collide_scorer *s)
{
    const struct device_info *first = device_info(s->devices[0]);
    bool are_alike = true;
    for (unsigned i = 1; i < s->n_devices; i++)
        are_alike = are_alike && strcmp(device_info(s->devices[i])->name, first->name) == 0;
    return are_alike && first->unified_memory && !s->is_sharded;
}

static bool suits_model(const struct model *m, uint64_t max_bytes)
{
    const uint32_t *offsets = m->histories.offsets;
    uint64_t n_bytes = user_vectors_bytes(m);
    return n_bytes > 0 && n_bytes <= max_bytes && (!offsets || offsets[m->user.n_ids] <= MAX_STORED);
}

/* Any user may come next: without huge pages each is a look into page tables, too. */
static uint64_t pages_bytes(const struct model *m)
{
    uint64_t n_bytes = user_vectors_bytes(m), page = HOST_HUGE_PAGE_BYTES;
    return n_bytes < page / 2 ? n_bytes : (n_bytes + page - 1) / page * page;
}

float *user_vectors_create(struct collide_scorer *s, uint64_t max_bytes)
{
    struct collide_error err;
    struct device_lane lane;
    if (!suits_model(s->model->model, max_bytes) || !suits_devices(s))
        return NULL;
    float *vectors = host_pages_allocate(pages_bytes(s->model->model));
    enum collide_status status = vectors ? device_lane_create(s->model, NULL, s->kernels[0], &lane, &err)
                                         : error_no_memory(&err, "the users' vectors");
    if (vectors && status == COLLIDE_OK) {
        status = make_all(&lane, vectors, &err);
        device_lane_destroy(&lane);
    }
    if (status == COLLIDE_OK)
        return vectors;
    log_warning("users are summed up anew for each request: %s", err.text);
    user_vectors_destroy(vectors, s->model->model);
    return NULL;
}

void user_vectors_destroy(float *vectors, const struct model *m)
{
    host_pages_free(vectors, pages_bytes(m));
}
