/* /v2: the Open Inference Protocol, and the model repository of its extension. */
#include "api/json_v1.h"
#include "data/id_index.h"
#include "http/company.h"
#include "serve/infer_describe.h"

#include <stdio.h>
#include <string.h>

static void server(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    (void)c;
    (void)request;
    oip_print_server(&reply->body);
}

static void live(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    (void)c;
    (void)request;
    buffer_append_text(&reply->body, "{\"live\":true}\n");
}

static void ready(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    if (service_state(c->service) == SERVICE_READY)
        buffer_append_text(&reply->body, "{\"ready\":true}\n");
    else
        http_reply_error(reply, 503, "unavailable", "not ready; try again later");
}

static void describe(const struct http_context *c, const struct http_request *request,
                     infer_describer describer, struct http_reply *reply)
{
    const struct model_choice model = http_model_choice(request);
    reply->status =
        http_status_of(service_infer_describe(c->service, c->worker, &model, describer, &reply->body));
}

static void metadata(const struct http_context *c, const struct http_request *request,
                     struct http_reply *reply)
{
    describe(c, request, oip_print_model, reply);
}

static void config(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    describe(c, request, oip_print_config, reply);
}

static void model_ready(const struct http_context *c, const struct http_request *request,
                        struct http_reply *reply)
{
    describe(c, request, oip_print_ready, reply);
}

/* False: the header is there, and no number of bytes. */
static bool find_json_length(const struct http_request *request, size_t *out)
{
    const char *text = http_header(request, "Inference-Header-Content-Length");
    uint64_t n = SIZE_MAX;
    if (text && (!id_parse_u64(text, strlen(text), &n) || n == SIZE_MAX))
        return false;
    *out = (size_t)n;
    return true;
}

static bool ask_inference(const struct http_request *request, struct service_request *out,
                          struct http_reply *reply)
{
    *out = (struct service_request){.format = FORMAT_OIP,
                                    .model = http_model_choice(request),
                                    .body = request->body,
                                    .n_bytes = request->n_bytes,
                                    .reading = request->reading,
                                    .arrived_ns = request->arrived_ns};
    if (find_json_length(request, &out->n_json_bytes))
        return true;
    http_reply_error(reply, 400, "bad_request", "Inference-Header-Content-Length is no number of bytes");
    return false;
}

static void repository_index(const struct http_context *c, const struct http_request *request,
                             struct http_reply *reply)
{
    (void)request;
    service_models_print(c->service, &reply->body);
    buffer_append(&reply->body, "\n", 1);
}

/* On the loader's thread. */
static void finish_change(void *context, const struct collide_error *err)
{
    struct http_reply *reply = context;
    if (err->status == COLLIDE_OK)
        buffer_append_text(&reply->body, "{}\n");
    else
        http_reply_error(reply, http_status_of(err->status), json_v1_code(err->status), err->text);
    http_reply_finish(reply);
}

static void change(const struct http_context *c, enum load_kind kind, const struct http_request *request,
                   struct http_reply *reply)
{
    struct load_order order = {.kind = kind, .done = finish_change, .context = reply};
    struct collide_error err = {0};
    if (!c->loader) {
        http_reply_error(reply, 503, "unavailable", "models are not loaded by request here");
        return;
    }
    snprintf(order.name, sizeof order.name, "%s", request->names[0]);
    http_reply_put_off(request, reply);
    if (loader_order(c->loader, &order, &err) != COLLIDE_OK)
        finish_change(reply, &err);
}

static void load(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    change(c, LOAD_MODEL, request, reply);
}

static void unload(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    change(c, UNLOAD_MODEL, request, reply);
}

static const struct http_route routes[] = {
    {"GET", "/v2", server, 0, NULL},
    {"GET", "/v2/health/live", live, HTTP_IS_OPEN, NULL},
    {"GET", "/v2/health/ready", ready, HTTP_IS_OPEN, NULL},
    {"GET", "/v2/models/{}", metadata, 0, NULL},
    {"GET", "/v2/models/{}/ready", model_ready, 0, NULL},
    {"GET", "/v2/models/{}/config", config, 0, NULL},
    {"GET", "/v2/models/{}/versions/{}", metadata, 0, NULL},
    {"GET", "/v2/models/{}/versions/{}/ready", model_ready, 0, NULL},
    {"GET", "/v2/models/{}/versions/{}/config", config, 0, NULL},
    {"POST", "/v2/models/{}/infer", NULL, HTTP_IS_WORK, ask_inference},
    {"POST", "/v2/models/{}/versions/{}/infer", NULL, HTTP_IS_WORK, ask_inference},
    {"POST", "/v2/repository/index", repository_index, 0, NULL},
    {"POST", "/v2/repository/models/{}/load", load, HTTP_IS_ADMIN, NULL},
    {"POST", "/v2/repository/models/{}/unload", unload, HTTP_IS_ADMIN, NULL},
};

const struct http_routes oip_endpoints = {routes, sizeof routes / sizeof routes[0]};
