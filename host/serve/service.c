#include "serve/service.h"

#include "api/json_v1.h"
#include "base/error.h"
#include "serve/worker.h"

#include <stdlib.h>
#include <string.h>

enum collide_status service_create(const struct service_options *options, struct service **out,
                                   struct collide_error *err)
{
    size_t n_bytes = sizeof(struct service) + options->n_workers * sizeof(struct worker);
    struct service *s = aligned_alloc(_Alignof(struct service), n_bytes);
    if (!s)
        return error_no_memory(err, "the service");
    memset(s, 0, n_bytes);
    s->options = *options;
    s->options.keep_versions = options->keep_versions ? options->keep_versions : 1;
    const struct observer_options observed = {options->n_workers, options->slow_ns, options->access_log};
    enum collide_status status = observer_create(&observed, &s->observer, err);
    if (status == COLLIDE_OK)
        status = models_init(s, err);
    if (status != COLLIDE_OK) {
        observer_destroy(s->observer);
        free(s);
        return status;
    }
    *out = s;
    return COLLIDE_OK;
}

static void worker_clear(struct worker *w)
{
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
    models_destroy(s); /* whose lanes borrow shared memory */
    for (unsigned i = 0; i < s->options.n_workers; i++)
        worker_clear(&s->workers[i]);
    observer_destroy(s->observer);
    free(s);
}

void service_share_memory(struct service *s, unsigned worker, void *memory, size_t n_bytes)
{
    s->workers[worker].shared_memory = memory;
    s->workers[worker].n_shared_bytes = n_bytes;
}

enum service_state service_state(const struct service *s)
{
    if (atomic_load_explicit(&s->draining, memory_order_relaxed))
        return SERVICE_DRAINING;
    return atomic_load_explicit(&s->is_ready, memory_order_acquire) ? SERVICE_READY : SERVICE_LOADING;
}

void service_drain(struct service *s)
{
    atomic_store(&s->draining, true);
}

struct observer *service_observer(const struct service *s)
{
    return s->observer;
}

unsigned service_n_workers(const struct service *s)
{
    return s->options.n_workers;
}

enum collide_status service_pin(struct service *s, unsigned worker, const struct model_choice *choice,
                                struct pinned_model *out, struct collide_error *err)
{
    struct worker *w = &s->workers[worker];
    struct model_version *v;
    enum collide_status status = catalogue_choose(worker_pin(s, w), choice, &v, err);
    if (status != COLLIDE_OK) {
        worker_unpin(w);
        return status;
    }
    *out = (struct pinned_model){.name = v->name,
                                 .version = v->number,
                                 .model = v->model,
                                 .scorer = v->scorer,
                                 .lane = v->seats[worker].lane,
                                 .seat = &v->seats[worker]};
    observer_current(s->observer, worker)->model = v->name;
    return COLLIDE_OK;
}

void service_unpin(struct service *s, unsigned worker)
{
    worker_unpin(&s->workers[worker]);
}

void service_count(const struct pinned_model *pinned, uint64_t n_requests,
                   const struct collide_counts *counts)
{
    version_seat_count(pinned->seat, n_requests, counts);
}

/* A request, the lane that answers it, and its answer. */
struct passage {
    struct request *request;
    struct collide_lane *lane;
    struct response response;
};

/* Scores or finds what a run of queries asks for. */
static enum collide_status run_queries(struct passage *p, const struct request_part *run,
                                       struct collide_counts *counts, struct collide_error *err)
{
    const struct request *r = p->request;
    const struct response *response = &p->response;
    size_t first = run->first_query;
    if (r->kind == REQUEST_SCORE)
        return collide_score(p->lane, r->queries + first, run->n_queries,
                             response->scores + run->first_result, counts, err);
    return collide_topk(p->lane, r->topk + first, run->n_queries, response->hits + run->first_result,
                        response->n_hits + first, counts, err);
}

/* All parts together, in as few launches as they fit in. */
static enum collide_status run_request(struct passage *p, struct collide_error *err)
{
    struct request *r = p->request;
    struct response *response = &p->response;
    const struct request_part all = {.n_queries = r->n_queries};
    enum collide_status status = run_queries(p, &all, &response->counts, err);
    if (status != COLLIDE_INVALID || !r->is_batch)
        return status;
    /* One part is wrong in a way that only the model can tell: answer each by itself. */
    for (size_t i = 0; i < r->n_parts; i++) {
        struct request_part *part = &r->parts[i];
        struct collide_counts counts = {0};
        if (part->error.status != COLLIDE_OK)
            continue;
        status = run_queries(p, part, &counts, &part->error);
        if (status != COLLIDE_OK && status != COLLIDE_INVALID)
            return error_set(err, status, "%s", part->error.text);
        response->counts.n_lookups += counts.n_lookups;
        response->counts.n_unknown += counts.n_unknown;
    }
    return COLLIDE_OK;
}

/* Ids of hits borrow from the model until they are printed. */
static enum collide_status answer_pinned(struct service *s, unsigned worker, struct pinned_model *pinned,
                                         const struct service_request *r, struct buffer *reply,
                                         struct collide_error *err)
{
    struct request_times *times = &observer_current(s->observer, worker)->times;
    struct passage p = {.request = &s->workers[worker].request, .lane = pinned->lane};
    enum collide_status status =
        json_v1_parse(r->kind, r->body, r->n_bytes, &s->options.limits, p.request, err);
    request_times_end(times, STAGE_PARSE);
    if (status == COLLIDE_OK)
        status = request_check_timeout(p.request, r->arrived_ns, err);
    if (status == COLLIDE_OK)
        status = response_allocate(p.request, &p.response, err);
    if (status == COLLIDE_OK)
        status = run_request(&p, err);
    request_times_end(times, STAGE_KERNEL);
    if (status == COLLIDE_OK)
        json_v1_print(p.request, &p.response, reply);
    request_times_end(times, STAGE_PRINT);
    service_count(pinned, 1, &p.response.counts);
    return status;
}

enum collide_status service_answer(struct service *s, unsigned worker, const struct service_request *request,
                                   struct buffer *reply)
{
    struct collide_error err = {0};
    struct pinned_model pinned;
    observer_current(s->observer, worker)->work = request->kind == REQUEST_SCORE ? WORK_SCORE : WORK_TOPK;
    enum collide_status status = service_pin(s, worker, &request->model, &pinned, &err);
    if (status == COLLIDE_OK) {
        status = answer_pinned(s, worker, &pinned, request, reply, &err);
        service_unpin(s, worker);
    }
    if (status != COLLIDE_OK)
        json_v1_print_error(json_v1_code(status), err.text, reply);
    return status;
}
