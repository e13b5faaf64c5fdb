#include "api/json_v1.h"
#include "serve/describe.h"
#include "serve/models.h"
#include "serve/worker.h"

#include <inttypes.h>
#include <string.h>

/* What is the same for all versions of a model. */
static struct model_report report_model(const struct model_entry *e, const struct catalogue_model *m,
                                        size_t number)
{
    struct model_report r = {.name = e->name,
                             .path = e->path,
                             .state = m->state,
                             .reason = e->reason,
                             .all_counts = e->gone_counts,
                             .n_loads = e->n_loads,
                             .n_failures = e->n_failures,
                             .n_swaps = e->n_swaps,
                             .number = number};
    for (size_t i = 0; i < m->n_versions; i++)
        model_version_add_counts(m->versions[i], &r.all_counts);
    for (size_t i = 0; i < e->leaving.n; i++)
        model_version_add_counts(e->leaving.versions[i], &r.all_counts);
    return r;
}

static void visit_model(const struct catalogue_model *m, struct model_report *r, model_visit *visit,
                        void *context)
{
    if (m->n_versions == 0)
        visit(context, r);
    for (size_t i = 0; i < m->n_versions; i++) {
        const struct model_version *v = m->versions[i];
        r->path = v->path;
        r->version = v->number;
        r->resident_bytes = v->resident_bytes;
        r->model = v->model;
        r->scorer = v->scorer;
        r->is_served = i == 0;
        r->counts = (struct model_counts){0};
        model_version_add_counts(v, &r->counts);
        visit(context, r);
    }
}

void service_models_each(struct service *s, model_visit *visit, void *context)
{
    pthread_mutex_lock(&s->models.lock);
    const struct catalogue *c = atomic_load(&s->catalogue);
    for (size_t i = 0; i < c->n_models; i++) {
        struct model_report r = report_model(s->models.entries[i], &c->models[i], i);
        visit_model(&c->models[i], &r, visit, context);
    }
    pthread_mutex_unlock(&s->models.lock);
}

static void print_report(void *context, const struct model_report *r)
{
    struct buffer *out = context;
    buffer_append_text(out, out->bytes[out->n_bytes - 1] == '[' ? "{\"name\":" : ",{\"name\":");
    json_print_string(out, r->name, strlen(r->name));
    if (r->version)
        buffer_printf(out, ",\"version\":\"%" PRIu64 "\"", r->version);
    buffer_printf(out, ",\"state\":\"%s\",\"reason\":", model_state_name(r->state));
    json_print_string(out, r->reason, strlen(r->reason));
    buffer_append(out, "}", 1);
}

void service_models_print(struct service *s, struct buffer *out)
{
    struct buffer list = {0};
    buffer_append(&list, "[", 1);
    if (!list.failed)
        service_models_each(s, print_report, &list);
    buffer_append(&list, "]", 1);
    buffer_append(out, list.bytes, list.n_bytes);
    out->failed |= list.failed;
    buffer_free(&list);
}

enum collide_status service_describe(struct service *s, const struct model_choice *choice,
                                     struct buffer *reply)
{
    struct collide_error err = {0};
    struct model_version *v;
    pthread_mutex_lock(&s->models.lock);
    enum collide_status status = catalogue_choose(atomic_load(&s->catalogue), choice, &v, &err);
    if (status == COLLIDE_OK)
        describe_model(v, reply);
    pthread_mutex_unlock(&s->models.lock);
    if (status != COLLIDE_OK)
        json_v1_print_error(json_v1_code(status), err.text, reply);
    return status;
}
