#include "serve/model_version.h"

#include "base/counter.h"
#include "base/error.h"
#include "base/log.h"
#include "score/kernels.h"
#include "score/model_handle.h"
#include "serve/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Loading is not worth finishing once the service is to stop. */
static enum collide_status go_on(const struct service *s, struct collide_error *err)
{
    if (service_state(s) == SERVICE_DRAINING)
        return error_set(err, COLLIDE_BUSY, "told to stop while loading");
    return COLLIDE_OK;
}

static enum collide_status check_room(const struct service *s, const struct version_source *source,
                                      uint64_t n_bytes, struct collide_error *err)
{
    uint64_t limit = s->options.max_memory_bytes;
    if (limit == 0 || (n_bytes <= limit && source->used_bytes <= limit - n_bytes))
        return COLLIDE_OK;
    return error_set(err, COLLIDE_NO_MEMORY,
                     "%.256s takes %" PRIu64 " bytes; with the %" PRIu64
                     " of what is loaded that is over the limit of %" PRIu64
                     "; unload a model first, or raise the limit",
                     source->path, n_bytes, source->used_bytes, limit);
}

static uint64_t resident_bytes(const struct model_version *v)
{
    struct collide_model_info model;
    collide_model_info(v->model, &model);
    if (!v->scorer)
        return model.file_bytes;
    struct collide_scorer_info scorer;
    collide_scorer_info(v->scorer, &scorer);
    return model.file_bytes + scorer.n_devices * (scorer.table_bytes - scorer.in_place_bytes) +
           scorer.user_vector_bytes;
}

/* Kernels that are not built yet are, by another process, where compiling here could hold up requests. Slow
 * answers are better than none: if that fails, this one compiles. */
static enum collide_status create_scorer(const struct service *s, const struct version_source *source,
                                         struct model_version *v, struct collide_error *err)
{
    const struct kernel_builder *builder = &s->options.kernel_builder;
    struct collide_scorer_options options = s->options.scorer;
    struct collide_error why;
    if (!builder->build || options.compiling == COLLIDE_COMPILES_NOTHING || service_state(s) != SERVICE_READY)
        return scorer_create_beside(source->beside, v->model, &options, &v->scorer, err);
    options.compiling = COLLIDE_COMPILES_NOTHING;
    enum collide_status status = scorer_create_beside(source->beside, v->model, &options, &v->scorer, err);
    if (status != COLLIDE_UNSUPPORTED)
        return status;
    status = builder->build(builder->context, s, v->path, &why);
    if (status == COLLIDE_OK)
        status = scorer_create_beside(source->beside, v->model, &options, &v->scorer, &why);
    if (status == COLLIDE_OK)
        return status;
    status = go_on(s, err);
    if (status != COLLIDE_OK)
        return status;
    log_warning("%s: its kernels are built by the server itself, which may hold up requests: %s", v->path,
                why.text);
    return scorer_create_beside(source->beside, v->model, &s->options.scorer, &v->scorer, err);
}

/* Twice: what the tables take is known only once they are placed, but a file that is too large by itself is
 * refused before. */
static enum collide_status place(const struct service *s, const struct version_source *source,
                                 struct model_version *v, struct collide_error *err)
{
    enum collide_status status = check_room(s, source, resident_bytes(v), err);
    if (status == COLLIDE_OK)
        status = go_on(s, err);
    if (status == COLLIDE_OK)
        status = create_scorer(s, source, v, err);
    if (status != COLLIDE_OK)
        return status;
    v->is_queued = engine_kind_of(v->scorer->kernels[0]->engine) == ENGINE_QUEUED;
    if (check_room(s, source, resident_bytes(v), NULL) != COLLIDE_OK)
        scorer_forget_user_vectors(v->scorer); /* which can be done without */
    v->resident_bytes = resident_bytes(v);
    return check_room(s, source, v->resident_bytes, err);
}

static enum collide_status take_seat(const struct service *s, unsigned worker, struct model_version *v,
                                     struct collide_error *err)
{
    const struct worker *w = &s->workers[worker];
    struct version_seat *seat = &v->seats[worker];
    enum collide_status status = go_on(s, err);
    if (status == COLLIDE_OK)
        status = collide_lane_create(v->scorer, &seat->lane, err);
    if (status == COLLIDE_OK && w->shared_memory)
        status = lane_share_memory(seat->lane, w->shared_memory, w->n_shared_bytes, err);
    return status;
}

static enum collide_status open_file(struct model_version *v, struct collide_error *err)
{
    struct stat st;
    if (stat(v->path, &st) != 0)
        return error_set_errno(err, errno == ENOENT ? COLLIDE_NOT_FOUND : COLLIDE_IO, errno, "cannot open %s",
                               v->path);
    v->stamp = file_stamp_of(&st);
    enum collide_status status = collide_model_open(v->path, &v->model, err);
    if (status != COLLIDE_OK)
        return status;
    v->collisions = collisions_of_spaces(v->model->model);
    return v->collisions ? COLLIDE_OK : error_no_memory(err, "counting a model's collisions");
}

static struct model_version *allocate(const struct version_source *source, unsigned n_workers)
{
    size_t n_bytes = sizeof(struct model_version) + n_workers * sizeof(struct version_seat);
    struct model_version *v = aligned_alloc(_Alignof(struct model_version), n_bytes);
    if (!v)
        return NULL;
    memset(v, 0, n_bytes);
    v->name = source->name;
    v->number = source->number;
    v->n_seats = n_workers;
    v->path = strdup(source->path);
    if (v->path)
        return v;
    free(v);
    return NULL;
}

enum collide_status model_version_load(const struct service *s, const struct version_source *source,
                                       struct model_version **out, struct collide_error *err)
{
    struct model_version *v = allocate(source, s->options.n_workers);
    if (!v)
        return error_no_memory(err, "a model's version");
    enum collide_status status = open_file(v, err);
    if (status == COLLIDE_OK)
        status = place(s, source, v, err);
    for (unsigned i = 0; i < v->n_seats && status == COLLIDE_OK; i++)
        status = take_seat(s, i, v, err);
    if (status != COLLIDE_OK) {
        model_version_destroy(v);
        return status;
    }
    *out = v;
    return COLLIDE_OK;
}

void model_version_destroy(struct model_version *v)
{
    if (!v)
        return;
    for (unsigned i = 0; i < v->n_seats; i++)
        collide_lane_destroy(v->seats[i].lane);
    collide_scorer_destroy(v->scorer);
    collide_model_close(v->model);
    free(v->collisions);
    free(v->path);
    free(v);
}

void version_seat_count(struct version_seat *seat, uint64_t n_requests, const struct collide_counts *counts)
{
    counter_add(&seat->counts.n_requests, n_requests);
    counter_add(&seat->counts.n_lookups, counts->n_lookups);
    counter_add(&seat->counts.n_unknown, counts->n_unknown);
}

void model_version_add_counts(const struct model_version *v, struct model_counts *out)
{
    for (unsigned i = 0; i < v->n_seats; i++) {
        const struct model_counts *c = &v->seats[i].counts;
        out->n_requests += counter_read(&c->n_requests);
        out->n_lookups += counter_read(&c->n_lookups);
        out->n_unknown += counter_read(&c->n_unknown);
    }
}
