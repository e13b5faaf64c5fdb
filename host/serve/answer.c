#include "serve/answer.h"

#include "api/json_v1.h"
#include "api/oip.h"
#include "base/error.h"
#include "score/model_handle.h"
#include "serve/reading.h"
#include "serve/worker.h"

#include <stdlib.h>

/* A call, and what it is answered with. */
struct passage {
    struct service_call *call;
    struct request *request; /* the worker's, its memory warm */
    struct oip_form form;
    struct model_version *version;
    struct version_seat *seat;
    struct response response;
    struct score_job job;
    struct collide_error err; /* status COLLIDE_OK: so far, so good */
};

struct crowd {
    struct service *service;
    struct worker *worker;
    unsigned worker_number;
    struct passage *passages; /* (n) */
    size_t n;
};

/* Memory for calls that come together, which stays warm. */
struct crowd_memory {
    struct request requests[CALLS_MAX];
    struct passage passages[CALLS_MAX];
    struct score_job *jobs[CALLS_MAX];
};

void crowd_memory_free(struct crowd_memory *m)
{
    for (size_t i = 0; m && i < CALLS_MAX; i++)
        request_free(&m->requests[i]);
    free(m);
}

static bool is_well(const struct passage *p)
{
    return p->err.status == COLLIDE_OK;
}

/* The end of a stage of all: those that are answered together wait for each other. */
static void end_stage(const struct crowd *c, enum stage stage)
{
    for (size_t i = 0; i < c->n; i++)
        request_times_end(&c->passages[i].call->observed->times, stage);
}

static enum collide_status read_rest(const struct service_request *from, struct passage *p)
{
    const struct request_text rest = {from->body, from->n_bytes, .is_last = true};
    size_t n_read;
    enum collide_status status = service_read(from->reading, &rest, &n_read, &p->err);
    p->request = &from->reading->request;
    p->form = from->reading->form;
    return status;
}

static enum collide_status parse(const struct crowd *c, struct passage *p)
{
    const struct service_request *from = &p->call->request;
    if (from->reading)
        return read_rest(from, p);
    const struct request_limits *limits = &c->service->options.limits;
    if (from->format == FORMAT_OIP)
        return oip_parse(&(struct oip_body){from->body, from->n_bytes, from->n_json_bytes}, limits,
                         p->request, &p->form, &p->err);
    return json_v1_parse(from->kind, from->body, from->n_bytes, limits, p->request, &p->err);
}

static void read_call(const struct crowd *c, const struct catalogue *catalogue, struct passage *p)
{
    struct observed_request *observed = p->call->observed;
    enum collide_status status = catalogue_choose(catalogue, &p->call->request.model, &p->version, &p->err);
    observed->work = p->call->request.kind == REQUEST_SCORE ? WORK_SCORE : WORK_TOPK;
    if (status != COLLIDE_OK)
        return;
    request_record_set_text(observed->model, sizeof observed->model, p->version->name);
    p->seat = &p->version->seats[c->worker_number];
    status = parse(c, p);
    observed->work = p->request->kind == REQUEST_SCORE ? WORK_SCORE : WORK_TOPK;
    if (status == COLLIDE_OK)
        status = request_check_timeout(p->request, p->call->request.arrived_ns, &p->err);
    if (status == COLLIDE_OK)
        status = response_allocate(p->request, &p->response, &p->err);
    p->err.status = status;
}

/* Scores or finds what a run of queries asks for. */
static enum collide_status run_queries(struct passage *p, const struct request_part *run,
                                       struct collide_counts *counts, struct collide_error *err)
{
    const struct request *r = p->request;
    const struct response *response = &p->response;
    size_t first = run->first_query;
    if (r->kind == REQUEST_SCORE)
        return collide_score(p->seat->lane, r->queries + first, run->n_queries,
                             response->scores + run->first_result, counts, err);
    return collide_topk(p->seat->lane, r->topk + first, run->n_queries, response->hits + run->first_result,
                        response->n_hits + first, counts, err);
}

/* All parts together, in as few launches as they fit in. */
static enum collide_status run_alone(struct passage *p)
{
    struct request *r = p->request;
    struct collide_counts *all_counts = &p->response.counts;
    const struct request_part all = {.n_queries = r->n_queries};
    enum collide_status status = run_queries(p, &all, all_counts, &p->err);
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
            return error_set(&p->err, status, "%s", part->error.text);
        counts_add(all_counts, &counts);
    }
    return COLLIDE_OK;
}

/* The passages behind the first that are for its version, and can share its launches, with it in jobs. What
 * is wrong with a request shows here, and it is then left to run_alone. */
static size_t gather(const struct crowd *c, size_t first, struct score_job **jobs)
{
    size_t n = 0;
    for (size_t i = first; i < c->n; i++) {
        struct passage *p = &c->passages[i];
        if (!is_well(p) || p->job.scores || p->request->kind != REQUEST_SCORE || p->request->n_results == 0 ||
            p->version != c->passages[first].version)
            continue;
        p->job = (struct score_job){.queries = p->request->queries, .n_queries = p->request->n_queries};
        if (lane_prepare(p->seat->lane, &p->job, NULL) != COLLIDE_OK)
            continue;
        p->job.scores = p->response.scores;
        jobs[n++] = &p->job;
    }
    return n;
}

static void run_together(const struct crowd *c)
{
    struct score_job **jobs = c->worker->crowd->jobs;
    for (size_t first = 0; first < c->n; first++) {
        struct passage *p = &c->passages[first];
        size_t n = is_well(p) && !p->job.scores ? gather(c, first, jobs) : 0;
        struct collide_error err = {0};
        if (n > 0)
            err.status = lane_score_jobs(p->seat->lane, jobs, n, &err);
        for (size_t i = first; i < c->n && err.status != COLLIDE_OK; i++)
            if (c->passages[i].job.scores && c->passages[i].version == p->version)
                c->passages[i].err = err;
    }
    for (size_t i = 0; i < c->n; i++) {
        struct passage *p = &c->passages[i];
        if (p->job.scores)
            p->response.counts = p->job.counts;
        else if (is_well(p))
            p->err.status = run_alone(p);
    }
}

static void run(const struct crowd *c)
{
    if (c->n > 1)
        run_together(c);
    else if (is_well(c->passages))
        c->passages->err.status = run_alone(c->passages);
}

/* Ids of hits borrow from the model, which is still pinned. */
static void print(struct passage *p)
{
    struct service_call *call = p->call;
    bool is_oip = call->request.format == FORMAT_OIP;
    call->status = p->err.status;
    call->n_json_bytes = 0;
    if (!is_well(p) && is_oip) {
        oip_print_error(p->err.text, call->reply);
    } else if (!is_well(p)) {
        json_v1_print_error(json_v1_code(call->status), p->err.text, call->reply);
    } else if (is_oip) {
        const struct oip_model model = {.name = p->version->name, .model = p->version->model->model};
        call->n_json_bytes =
            oip_print(&(struct oip_answer){&model, p->version->number, p->request, &p->form, &p->response},
                      call->reply);
    } else {
        json_v1_print(p->request, &p->response, call->reply);
    }
    if (p->version)
        version_seat_count(p->seat, 1, &p->response.counts);
}

static void answer(struct crowd *c, const struct catalogue *catalogue)
{
    for (size_t i = 0; i < c->n; i++)
        read_call(c, catalogue, &c->passages[i]);
    end_stage(c, STAGE_PARSE);
    run(c);
    end_stage(c, STAGE_KERNEL);
    for (size_t i = 0; i < c->n; i++)
        print(&c->passages[i]);
    end_stage(c, STAGE_PRINT);
}

static void answer_alone(struct service *s, unsigned worker, struct service_call *call)
{
    struct worker *w = &s->workers[worker];
    struct passage alone = {.call = call, .request = &w->request};
    answer(&(struct crowd){s, w, worker, &alone, 1}, worker_pin(s, w));
    worker_unpin(w);
    arena_reset(&w->request.arena); /* what one request has blown up is not kept */
}

static void answer_together(struct service *s, unsigned worker, struct service_call *calls, size_t n)
{
    struct worker *w = &s->workers[worker];
    struct passage *passages = w->crowd->passages;
    for (size_t i = 0; i < n; i++)
        passages[i] = (struct passage){.call = &calls[i], .request = &w->crowd->requests[i]};
    answer(&(struct crowd){s, w, worker, passages, n}, worker_pin(s, w));
    worker_unpin(w);
    for (size_t i = 0; i < n; i++)
        arena_reset(&w->crowd->requests[i].arena);
}

void service_answer_calls(struct service *s, unsigned worker, struct service_call *calls, size_t n)
{
    struct worker *w = &s->workers[worker];
    if (n > 1 && !w->crowd)
        w->crowd = calloc(1, sizeof *w->crowd);
    if (n > 1 && w->crowd) {
        answer_together(s, worker, calls, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        answer_alone(s, worker, &calls[i]);
}

enum collide_status service_answer(struct service *s, unsigned worker, const struct service_request *request,
                                   struct buffer *reply)
{
    struct service_call call = {
        .request = *request, .reply = reply, .observed = observer_current(s->observer, worker)};
    service_answer_calls(s, worker, &call, 1);
    return call.status;
}

bool service_gains_from_company(const struct service *s)
{
    return atomic_load_explicit(&s->gains_from_company, memory_order_relaxed);
}
