#include "serve/reading.h"

#include "api/json_v1.h"
#include "base/error.h"
#include "serve/worker.h"

#include <stdlib.h>

static enum collide_status find_model(struct service *s, unsigned worker, const struct model_choice *choice,
                                      struct collide_error *err)
{
    struct pinned_model model;
    enum collide_status status = service_pin(s, worker, choice, &model, err);
    if (status == COLLIDE_OK)
        service_unpin(s, worker);
    return status;
}

enum collide_status service_reading_create(struct service *s, unsigned worker,
                                           const struct service_request *request,
                                           struct service_reading **out, struct collide_error *err)
{
    const struct request_limits *limits = &s->options.limits;
    enum collide_status status = find_model(s, worker, &request->model, err);
    if (status != COLLIDE_OK)
        return status;
    struct service_reading *r = calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "a request");
    r->service = s;
    r->format = request->format;
    if (r->format == FORMAT_OIP)
        r->oip = oip_begin(request->n_json_bytes, limits, &r->request, &r->form);
    else
        r->v1 = json_v1_begin(request->kind, limits, &r->request);
    if (!r->oip && !r->v1) {
        service_reading_destroy(r);
        return error_no_memory(err, "a request");
    }
    *out = r;
    return COLLIDE_OK;
}

void service_reading_destroy(struct service_reading *r)
{
    if (!r)
        return;
    atomic_fetch_sub_explicit(&r->service->n_reading_bytes, r->n_bytes, memory_order_relaxed);
    request_free(&r->request);
    free(r);
}

static enum collide_status count_memory(struct service_reading *r, struct collide_error *err)
{
    size_t n_bytes = arena_n_bytes(&r->request.arena), added = n_bytes - r->n_bytes; /* modulo 2^64 */
    size_t others =
        atomic_fetch_add_explicit(&r->service->n_reading_bytes, added, memory_order_relaxed) - r->n_bytes;
    r->n_bytes = n_bytes;
    if (others == 0 || others + n_bytes <= SERVICE_READING_BYTES)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_BUSY, "too many large requests are coming at once; try again later");
}

enum collide_status service_read(struct service_reading *r, const struct request_text *text, size_t *n_read,
                                 struct collide_error *err)
{
    enum collide_status status = r->format == FORMAT_OIP ? oip_read(r->oip, text, n_read, err)
                                                         : json_v1_read(r->v1, text, n_read, err);
    return status == COLLIDE_OK ? count_memory(r, err) : status;
}
