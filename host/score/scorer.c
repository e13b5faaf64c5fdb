#include "collide/scorer.h"

#include "base/error.h"
#include "score/batcher.h"
#include "score/lane.h"
#include "score/shards.h"
#include "score/user_vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void retain_file(void *file)
{
    model_file_retain(file);
}

static void close_file(void *file)
{
    model_file_close(file);
}

static enum collide_status read_options(const struct collide_scorer_options *o, struct kernels_options *out,
                                        struct collide_error *err)
{
    *out = (struct kernels_options){
        .cache_dir = o->cache_dir,
        .binary = o->kernels,
        .means = o->compiling == COLLIDE_COMPILES_NOTHING ? PROGRAM_MUST_BE_BUILT : PROGRAM_MAY_COMPILE,
        .memory = {.max_bank_bytes = o->max_bank_bytes, .n_channels = o->n_channels}};
    enum collide_status status = engine_kind_parse(o->engine, &out->engine, err);
    return status == COLLIDE_OK ? table_policy_parse(o->tables, &out->memory.policy, err) : status;
}

static enum collide_status open_chosen(struct collide_scorer *s, const unsigned *indices, unsigned n,
                                       struct collide_error *err)
{
    if (n > SCORER_MAX_DEVICES)
        return error_set(err, COLLIDE_INVALID, "%u devices are more than %d", n, SCORER_MAX_DEVICES);
    for (; s->n_devices < n; s->n_devices++) {
        char index[16];
        snprintf(index, sizeof index, "%u", indices[s->n_devices]);
        enum collide_status status = device_open(index, &s->devices[s->n_devices], err);
        if (status != COLLIDE_OK)
            return status;
    }
    return COLLIDE_OK;
}

static void share_devices(struct collide_scorer *s, const struct collide_scorer *beside)
{
    for (; s->n_devices < beside->n_devices; s->n_devices++) {
        s->devices[s->n_devices] = beside->devices[s->n_devices];
        device_retain(s->devices[s->n_devices]);
    }
}

static enum collide_status open_devices(struct collide_scorer *s, const char *selectors,
                                        struct collide_error *err)
{
    unsigned indices[PLATFORM_MAX_DEVICES], n = 0;
    struct platform_list *list = malloc(sizeof *list);
    if (!list)
        return error_no_memory(err, "the devices");
    enum collide_status status = platform_list_devices(list, err);
    if (status == COLLIDE_OK)
        status = platform_choose_several(list, selectors, indices, &n, err);
    free(list);
    return status == COLLIDE_OK ? open_chosen(s, indices, n, err) : status;
}

/* A binary holds kernels for all rows. */
static enum collide_status check_binary(const struct collide_scorer *s, const char *kernels,
                                        struct collide_error *err)
{
    if (!kernels || !s->is_sharded)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_UNSUPPORTED,
                     "%.256s was built for all rows; shards build their kernels themselves", kernels);
}

static enum collide_status create_kernels(struct collide_scorer *s, const struct collide_scorer_options *o,
                                          struct collide_error *err)
{
    struct kernels_options options;
    enum collide_status status = read_options(o, &options, err);
    options.model_owner = (struct shared){s->model->file, retain_file, close_file};
    for (unsigned i = 0; i < s->n_devices && status == COLLIDE_OK; i++) {
        if (s->is_sharded)
            options.rows = shard_rows(s->model->model, i, s->n_devices);
        status = kernels_create(s->devices[i], s->model->model, &options, &s->kernels[i], err);
    }
    return status;
}

static enum collide_status create_batcher(struct collide_scorer *s, const struct collide_scorer_options *o,
                                          struct collide_error *err)
{
    if (o->max_delay_us == 0)
        return COLLIDE_OK;
    if (s->is_sharded)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "calls over shards are not put together; leave the delay at 0");
    return batcher_create(o->max_delay_us, o->max_batch ? o->max_batch : 1024, &s->batcher, err);
}

enum collide_status scorer_create_beside(const struct collide_scorer *beside,
                                         const struct collide_model *model,
                                         const struct collide_scorer_options *options,
                                         struct collide_scorer **out, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    struct collide_scorer *s = calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a scorer");
    s->model = model;
    if (beside)
        share_devices(s, beside);
    else
        status = open_devices(s, options->device, err);
    s->is_sharded = options->spread == COLLIDE_SHARD;
    if (status == COLLIDE_OK && s->is_sharded)
        status = shards_check(model->model, s->n_devices, err);
    if (status == COLLIDE_OK)
        status = check_binary(s, options->kernels, err);
    if (status == COLLIDE_OK)
        status = create_kernels(s, options, err);
    if (status == COLLIDE_OK)
        status = create_batcher(s, options, err);
    if (status != COLLIDE_OK) {
        collide_scorer_destroy(s);
        return status;
    }
    s->user_vectors = user_vectors_create(s, options->max_user_vector_bytes);
    *out = s;
    return COLLIDE_OK;
}

enum collide_status collide_scorer_create(const struct collide_model *model,
                                          const struct collide_scorer_options *options,
                                          struct collide_scorer **out, struct collide_error *err)
{
    static const struct collide_scorer_options defaults;
    return scorer_create_beside(NULL, model, options ? options : &defaults, out, err);
}

void scorer_forget_user_vectors(struct collide_scorer *s)
{
    user_vectors_destroy(s->user_vectors, s->model->model);
    s->user_vectors = NULL;
}

void collide_scorer_destroy(struct collide_scorer *s)
{
    if (!s)
        return;
    batcher_destroy(s->batcher);
    scorer_forget_user_vectors(s);
    for (unsigned i = 0; i < s->n_devices; i++) {
        kernels_destroy(s->kernels[i]);
        device_close(s->devices[i]);
    }
    free(s);
}

void collide_scorer_info(const struct collide_scorer *s, struct collide_scorer_info *out)
{
    const struct device_info *d = device_info(s->devices[0]);
    const struct kernels *k = s->kernels[0];
    *out = (struct collide_scorer_info){
        .device = d->name,
        .platform = d->platform,
        .engine = engine_kind_name(engine_kind_of(k->engine)),
        .kernels = program_origin_name(program_origin(k->program)),
        .form = kernel_form_name(k->tuning.form),
        .n_devices = s->n_devices,
        .user_vector_bytes = s->user_vectors ? user_vectors_bytes(s->model->model) : 0,
    };
    for (size_t i = 0; i < N_SCORING_TABLES; i++) {
        out->table_bytes += k->tables.sources[i].n_bytes;
        out->in_place_bytes += k->plan[i].placement == PLACED_IN_PLACE ? k->tables.sources[i].n_bytes : 0;
    }
}

enum collide_status lane_prepare(struct collide_lane *lane, const struct score_job *job,
                                 struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < job->n_queries && status == COLLIDE_OK; i++)
        status = fill_check(lane->scorer->model, &job->queries[i], i, err);
    return status == COLLIDE_OK ? lane_reserve_histories(lane, job->queries, job->n_queries, err) : status;
}

enum collide_status lane_score_jobs(struct collide_lane *lane, struct score_job *const *jobs, size_t n_jobs,
                                    struct collide_error *err)
{
    return lane->scorer->is_sharded ? lane_score_sharded(lane, jobs, n_jobs, err)
                                    : lane_score(lane, jobs, n_jobs, err);
}

enum collide_status collide_score(struct collide_lane *lane, const struct collide_query *queries,
                                  size_t n_queries, float *scores, struct collide_counts *counts,
                                  struct collide_error *err)
{
    struct score_job job = {.queries = queries, .n_queries = n_queries, .scores = scores}, *jobs = &job;
    struct batcher *batcher = n_queries > 0 ? lane->scorer->batcher : NULL;
    enum collide_status status = lane_prepare(lane, &job, err);
    if (status == COLLIDE_OK)
        status = batcher ? batcher_score(batcher, lane, &job, err) : lane_score_jobs(lane, &jobs, 1, err);
    if (status == COLLIDE_OK && counts)
        *counts = job.counts;
    return status;
}

enum collide_status collide_kernels_build(const struct collide_model *model,
                                          const struct collide_scorer_options *options, const char *path,
                                          struct collide_error *err)
{
    struct collide_scorer_options from_source = options ? *options : (struct collide_scorer_options){0};
    struct collide_scorer *scorer = NULL;
    struct collide_lane *lane = NULL;
    from_source.kernels = NULL;
    from_source.max_user_vector_bytes = 0;
    if (path && from_source.device && strchr(from_source.device, ','))
        return error_set(err, COLLIDE_INVALID,
                         "a device binary is for one device, not for all of \"%.128s\"; build one for each",
                         from_source.device);
    enum collide_status status = collide_scorer_create(model, &from_source, &scorer, err);
    for (unsigned i = 0; status == COLLIDE_OK && i < scorer->n_devices; i++) {
        status = collide_lane_create(scorer, &lane, err); /* which runs every kernel once, and keeps them */
        if (status == COLLIDE_OK)
            collide_lane_destroy(lane);
    }
    if (status == COLLIDE_OK && path)
        status = kernels_save(scorer->kernels[0], path, err);
    collide_scorer_destroy(scorer);
    return status;
}
