#include "serve/infer.h"

#include "score/model_handle.h"
#include "serve/models.h"
#include "serve/worker.h"

#include <string.h>

static enum collide_status run(struct collide_lane *lane, const struct request *r, struct response *response,
                               struct collide_error *err)
{
    if (r->kind == REQUEST_SCORE)
        return collide_score(lane, r->queries, r->n_queries, response->scores, &response->counts, err);
    return collide_topk(lane, r->topk, r->n_queries, response->hits, response->n_hits, &response->counts,
                        err);
}

/* Ids of hits borrow from the model until they are printed. */
static enum collide_status infer_pinned(struct service *s, unsigned worker, const struct pinned_model *pinned,
                                        const struct infer_request *request, struct infer_reply *reply,
                                        struct collide_error *err)
{
    const struct oip_model model = {.name = pinned->name, .model = pinned->model->model};
    struct observed_request *observed = observer_current(s->observer, worker);
    struct request *r = &s->workers[worker].request;
    struct response response = {0};
    struct oip_form form;
    enum collide_status status = oip_parse(&request->body, &s->options.limits, r, &form, err);
    request_times_end(&observed->times, STAGE_PARSE);
    observed->work = r->kind == REQUEST_SCORE ? WORK_SCORE : WORK_TOPK;
    if (status == COLLIDE_OK)
        status = request_check_timeout(r, request->arrived_ns, err);
    if (status == COLLIDE_OK)
        status = response_allocate(r, &response, err);
    if (status == COLLIDE_OK)
        status = run(pinned->lane, r, &response, err);
    request_times_end(&observed->times, STAGE_KERNEL);
    if (status == COLLIDE_OK)
        reply->n_json_bytes =
            oip_print(&(struct oip_answer){&model, pinned->version, r, &form, &response}, reply->body);
    request_times_end(&observed->times, STAGE_PRINT);
    service_count(pinned, 1, &response.counts);
    return status;
}

enum collide_status service_infer(struct service *s, unsigned worker, const struct infer_request *request,
                                  struct infer_reply *reply)
{
    struct collide_error err = {0};
    struct pinned_model pinned;
    reply->n_json_bytes = 0;
    enum collide_status status = service_pin(s, worker, &request->model, &pinned, &err);
    if (status == COLLIDE_OK) {
        status = infer_pinned(s, worker, &pinned, request, reply, &err);
        service_unpin(s, worker);
    }
    if (status != COLLIDE_OK)
        oip_print_error(err.text, reply->body);
    return status;
}

/* A model's versions. */
struct known_versions {
    const char *name;
    uint64_t numbers[VERSIONS_MAX];
    size_t n;
};

static void add_version(void *context, const struct model_report *report)
{
    struct known_versions *known = context;
    if (report->version && known->n < VERSIONS_MAX && strcmp(report->name, known->name) == 0)
        known->numbers[known->n++] = report->version;
}

enum collide_status service_infer_describe(struct service *s, unsigned worker,
                                           const struct model_choice *model, infer_describer describe,
                                           struct buffer *reply)
{
    struct collide_error err = {0};
    struct pinned_model pinned;
    struct known_versions known = {.name = model->name};
    service_models_each(s, add_version, &known);
    enum collide_status status = service_pin(s, worker, model, &pinned, &err);
    if (status == COLLIDE_OK) {
        describe(&(struct oip_model){pinned.name, known.numbers, known.n, pinned.model->model}, reply);
        service_unpin(s, worker);
    } else {
        oip_print_error(err.text, reply);
    }
    return status;
}
