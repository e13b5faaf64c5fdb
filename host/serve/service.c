#include "serve/service.h"

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
    crowd_memory_free(w->crowd);
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

struct observer *service_observer(const struct service *s)
{
    return s->observer;
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
    *out = (struct pinned_model){
        .name = v->name, .version = v->number, .model = v->model, .lane = v->seats[worker].lane};
    struct observed_request *observed = observer_current(s->observer, worker);
    request_record_set_text(observed->model, sizeof observed->model, v->name);
    return COLLIDE_OK;
}

void service_unpin(struct service *s, unsigned worker)
{
    worker_unpin(&s->workers[worker]);
}
