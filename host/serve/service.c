#include "serve/service.h"

#include "api/json_v1.h"
#include "base/error.h"
#include "score/lane.h"
#include "serve/describe.h"
#include "serve/worker.h"

#include <stdlib.h>
#include <string.h>

static const char LOADING[] = "the service is loading its model; try again later";

enum collide_status service_create(const struct service_options *options, struct service **out,
                                   struct collide_error *err)
{
    struct service *s = calloc(1, sizeof *s + options->n_workers * sizeof s->workers[0]);
    if (!s)
        return error_no_memory(err, "the service");
    s->options = *options;
    *out = s;
    return COLLIDE_OK;
}

static void worker_clear(struct worker *w)
{
    collide_lane_destroy(w->lane);
    request_free(&w->request);
    free(w->shared_memory);
    if (w->burst) {
        arena_free(&w->burst->batch.arena);
        free(w->burst->scores);
        free(w->burst->hits);
        free(w->burst);
    }
}

void service_destroy(struct service *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->options.n_workers; i++)
        worker_clear(&s->workers[i]);
    collide_scorer_destroy(s->scorer);
    collide_model_close(s->model);
    free(s->name);
    free(s);
}

void service_share_memory(struct service *s, unsigned worker, void *memory, size_t n_bytes)
{
    s->workers[worker].shared_memory = memory;
    s->workers[worker].n_shared_bytes = n_bytes;
}

/* Loading is not worth finishing once the service is to stop. */
static enum collide_status go_on(const struct service *s, struct collide_error *err)
{
    if (service_state(s) == SERVICE_DRAINING)
        return error_set(err, COLLIDE_BUSY, "told to stop while loading");
    return COLLIDE_OK;
}

static enum collide_status open_lane(struct collide_scorer *scorer, struct worker *w,
                                     struct collide_error *err)
{
    enum collide_status status = collide_lane_create(scorer, &w->lane, err);
    if (status == COLLIDE_OK && w->shared_memory)
        status = lane_share_memory(w->lane, w->shared_memory, w->n_shared_bytes, err);
    return status;
}

enum collide_status service_load(struct service *s, const char *model_path, struct collide_error *err)
{
    const char *slash = strrchr(model_path, '/');
    s->name = strdup(slash ? slash + 1 : model_path);
    if (!s->name)
        return error_no_memory(err, "the model's name");
    enum collide_status status = collide_model_open(model_path, &s->model, err);
    if (status == COLLIDE_OK)
        status = go_on(s, err);
    if (status == COLLIDE_OK)
        status = collide_scorer_create(s->model, &s->options.scorer, &s->scorer, err);
    for (unsigned i = 0; i < s->options.n_workers && status == COLLIDE_OK; i++) {
        status = go_on(s, err);
        if (status == COLLIDE_OK)
            status = open_lane(s->scorer, &s->workers[i], err);
    }
    if (status == COLLIDE_OK)
        atomic_store(&s->loaded, true);
    return status;
}

enum service_state service_state(const struct service *s)
{
    if (atomic_load_explicit(&s->draining, memory_order_relaxed))
        return SERVICE_DRAINING;
    return service_is_loaded(s) ? SERVICE_READY : SERVICE_LOADING;
}

void service_drain(struct service *s)
{
    atomic_store(&s->draining, true);
}

unsigned service_n_workers(const struct service *s)
{
    return s->options.n_workers;
}

/* Scores or finds what a run of queries asks for. */
static enum collide_status run_queries(struct worker *w, const struct request_part *run,
                                       struct response *response, struct collide_counts *counts,
                                       struct collide_error *err)
{
    const struct request *r = &w->request;
    size_t first = run->first_query;
    if (r->kind == REQUEST_SCORE)
        return collide_score(w->lane, r->queries + first, run->n_queries,
                             response->scores + run->first_result, counts, err);
    return collide_topk(w->lane, r->topk + first, run->n_queries, response->hits + run->first_result,
                        response->n_hits + first, counts, err);
}

/* All parts together, in as few launches as they fit in. */
static enum collide_status run_request(struct worker *w, struct response *response, struct collide_error *err)
{
    struct request *r = &w->request;
    const struct request_part all = {.n_queries = r->n_queries};
    enum collide_status status = run_queries(w, &all, response, &response->counts, err);
    if (status != COLLIDE_INVALID || !r->is_batch)
        return status;
    /* One part is wrong in a way that only the model can tell: answer each by itself. */
    for (size_t i = 0; i < r->n_parts; i++) {
        struct request_part *part = &r->parts[i];
        struct collide_counts counts = {0};
        if (part->error.status != COLLIDE_OK)
            continue;
        status = run_queries(w, part, response, &counts, &part->error);
        if (status != COLLIDE_OK && status != COLLIDE_INVALID)
            return error_set(err, status, "%s", part->error.text);
        response->counts.n_lookups += counts.n_lookups;
        response->counts.n_unknown += counts.n_unknown;
    }
    return COLLIDE_OK;
}

static enum collide_status answer(struct service *s, struct worker *w, enum request_kind kind,
                                  const char *body, size_t n_bytes, struct buffer *reply,
                                  struct collide_error *err)
{
    struct response response;
    if (!service_is_loaded(s))
        return error_set(err, COLLIDE_BUSY, "%s", LOADING);
    enum collide_status status = json_v1_parse(kind, body, n_bytes, &s->options.limits, &w->request, err);
    if (status == COLLIDE_OK)
        status = response_allocate(&w->request, &response, err);
    if (status == COLLIDE_OK)
        status = run_request(w, &response, err);
    if (status == COLLIDE_OK)
        json_v1_print(&w->request, &response, reply);
    return status;
}

enum collide_status service_answer(struct service *s, unsigned worker, enum request_kind kind,
                                   const char *body, size_t n_bytes, struct buffer *reply)
{
    struct collide_error err = {0};
    enum collide_status status = answer(s, &s->workers[worker], kind, body, n_bytes, reply, &err);
    if (status != COLLIDE_OK)
        json_v1_print_error(json_v1_code(status), err.text, reply);
    return status;
}

enum collide_status service_describe(const struct service *s, struct buffer *reply)
{
    if (!service_is_loaded(s)) {
        json_v1_print_error(json_v1_code(COLLIDE_BUSY), LOADING, reply);
        return COLLIDE_BUSY;
    }
    describe_model(s->name, s->model, s->scorer, reply);
    return COLLIDE_OK;
}
