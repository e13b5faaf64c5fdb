#include "serve/infer_describe.h"

#include "score/model_handle.h"
#include "serve/models.h"

#include <string.h>

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
