/* /v1: scores and hits, and what answers them. */
#include "http/endpoint.h"
#include "serve/models.h"

static struct service_request question_of(enum request_kind kind, const struct http_request *request)
{
    return (struct service_request){.kind = kind,
                                    .model = http_model_choice(request),
                                    .body = request->body,
                                    .n_bytes = request->n_bytes,
                                    .reading = request->reading,
                                    .arrived_ns = request->arrived_ns};
}

static bool ask_scores(const struct http_request *request, struct service_request *out,
                       struct http_reply *reply)
{
    (void)reply;
    *out = question_of(REQUEST_SCORE, request);
    return true;
}

static bool ask_topk(const struct http_request *request, struct service_request *out,
                     struct http_reply *reply)
{
    (void)reply;
    *out = question_of(REQUEST_TOPK, request);
    return true;
}

static void model(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    const struct model_choice choice = http_model_choice(request);
    reply->status = http_status_of(service_describe(c->service, &choice, &reply->body));
}

static void models(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    service_models_print(c->service, &reply->body);
    buffer_append(&reply->body, "\n", 1);
}

static void transports(const struct http_context *c, const struct http_request *request,
                       struct http_reply *reply)
{
    (void)request;
    transports_describe(c->transports, &reply->body);
}

static void health(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    (void)c;
    (void)request;
    buffer_append_text(&reply->body, "{\"status\":\"alive\"}\n");
}

static void ready(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    if (service_state(c->service) == SERVICE_READY)
        buffer_append_text(&reply->body, "{\"status\":\"ready\"}\n");
    else
        http_reply_error(reply, 503, "unavailable", "not ready; try again later");
}

static const struct http_route routes[] = {
    {"POST", "/v1/score", NULL, HTTP_TAKES_JSON | HTTP_IS_WORK, ask_scores},
    {"POST", "/v1/topk", NULL, HTTP_TAKES_JSON | HTTP_IS_WORK, ask_topk},
    {"GET", "/v1/model", model, 0, NULL},
    {"GET", "/v1/models", models, 0, NULL},
    {"GET", "/v1/models/{}", model, 0, NULL},
    {"POST", "/v1/models/{}/score", NULL, HTTP_TAKES_JSON | HTTP_IS_WORK, ask_scores},
    {"POST", "/v1/models/{}/topk", NULL, HTTP_TAKES_JSON | HTTP_IS_WORK, ask_topk},
    {"GET", "/v1/models/{}/versions/{}", model, 0, NULL},
    {"POST", "/v1/models/{}/versions/{}/score", NULL, HTTP_TAKES_JSON | HTTP_IS_WORK, ask_scores},
    {"POST", "/v1/models/{}/versions/{}/topk", NULL, HTTP_TAKES_JSON | HTTP_IS_WORK, ask_topk},
    {"GET", "/v1/transports", transports, 0, NULL},
    {"GET", "/healthz", health, HTTP_IS_OPEN, NULL},
    {"GET", "/readyz", ready, HTTP_IS_OPEN, NULL},
};

const struct http_routes score_endpoints = {routes, sizeof routes / sizeof routes[0]};
