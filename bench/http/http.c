#include "base/error.h"
#include "commands.h"
#include "http_client.h"
#include "http_model.h"
#include "http_requests.h"
#include "load_kinds.h"

#include <string.h>

/* A run over HTTP and all it owns. */
struct http_run {
    const char *request_file;
    const char *path;
    int protocol; /* enum http_protocol */
    bool has_baseline;
    struct http_url url;
    struct http_client *client;
    struct http_requests requests[N_SIDES];
};

static const char *const protocol_names[] = {
    [HTTP_V1] = "v1", [HTTP_V2] = "v2", [HTTP_V2_BINARY] = "v2-binary", NULL};

static size_t fill_table(void *self, struct load_options *o, struct arg *table)
{
    struct http_run *run = self;
    const struct arg args[] = {
        {"batch", '\0', ARG_U64, &o->question.batch, .min = 1, .max = 10000, .group = "Requests",
         .value_name = "B", .help = "queries in each request"},
        {"request-file", 'f', ARG_TEXT, &run->request_file, .group = "Requests", .value_name = "FILE",
         .help = "send the lines of this file in turn as bodies instead"},
        {"path", 'p', ARG_TEXT, &run->path, .group = "Requests", .value_name = "PATH",
         .default_text = "/v1/score, or /v1/topk with --topk", .help = "where to send them"},
        {"protocol", '\0', ARG_CHOICE, &run->protocol, .choices = protocol_names, .group = "Requests",
         .help = "v2: tensors of the Open Inference Protocol, for --path /v2/models/NAME/infer"},
        {"baseline", 'b', ARG_FLAG, &run->has_baseline, .group = "Load",
         .help = "measure an empty 404 too, in turn with the requests, and print the ratio"},
    };
    memcpy(table, args, sizeof args);
    return sizeof args / sizeof args[0];
}

static enum collide_status check(const struct http_run *run, const struct question *q,
                                 struct collide_error *err)
{
    if (!run->request_file && q->batch * question_n_ids(q) > QUERY_IDS_MAX)
        return error_set(err, COLLIDE_INVALID, "--batch times --candidates is above %d", QUERY_IDS_MAX);
    if (run->protocol != HTTP_V1 && !run->path)
        return error_set(err, COLLIDE_INVALID, "--protocol %s needs --path /v2/models/NAME/infer",
                         protocol_names[run->protocol]);
    if (run->path && run->path[0] != '/')
        return error_set(err, COLLIDE_INVALID, "--path: '%s' does not start with /", run->path);
    return COLLIDE_OK;
}

static enum collide_status make_requests(struct http_run *run, const struct question *q,
                                         struct collide_error *err)
{
    const char *path = run->path ? run->path : q->topk ? "/v1/topk" : "/v1/score";
    struct http_target target = {run->url.authority, path, (enum http_protocol)run->protocol};
    struct http_target nothing = {run->url.authority, "/nothing-here", HTTP_V1};
    enum collide_status status =
        run->request_file ? http_requests_from_file(target, run->request_file, &run->requests[SIDE_MAIN], err)
                          : http_requests_random(target, q, &run->requests[SIDE_MAIN], err);
    if (status == COLLIDE_OK)
        status = http_requests_get(nothing, &run->requests[SIDE_BASELINE], err);
    return status;
}

static enum collide_status open_http(void *self, struct load_options *o, char **arguments,
                                     struct subject *out, struct collide_error *err)
{
    static const int expected[N_SIDES] = {[SIDE_MAIN] = 200, [SIDE_BASELINE] = 404};
    struct http_run *run = self;
    const struct http_client_settings settings = {.url = &run->url,
                                                  .n_connections = (unsigned)o->n_lanes,
                                                  .timeout_ns = ns_of(o->timeout_s),
                                                  .wait = (enum load_wait)o->wait};
    enum collide_status status = check(run, &o->question, err);
    if (status == COLLIDE_OK)
        status = http_url_parse(arguments[0], &run->url, err);
    if (status == COLLIDE_OK)
        status = http_client_create(&settings, &run->client, err);
    if (status == COLLIDE_OK && !run->request_file)
        status = http_model_ask(run->client, (struct http_target){run->url.authority, run->path, HTTP_V1},
                                &o->question, err);
    if (status == COLLIDE_OK)
        status = make_requests(run, &o->question, err);
    if (status != COLLIDE_OK)
        return status;
    out->target = arguments[0];
    for (int side = 0; side < N_SIDES; side++)
        out->sides[side] = (struct subject_side){.transport = http_client_transport(run->client),
                                                 .messages = {.items = run->requests[side].items,
                                                              .n = run->requests[side].n,
                                                              .expected_code = expected[side]}};
    out->sides[SIDE_BASELINE].name = run->has_baseline ? "empty 404" : NULL;
    return COLLIDE_OK;
}

static struct report_redone redone(const void *self)
{
    const struct http_run *run = self;
    return (struct report_redone){"reconnects", http_client_n_reconnects(run->client)};
}

static void close_http(void *self)
{
    struct http_run *run = self;
    for (int side = 0; side < N_SIDES; side++)
        http_requests_free(&run->requests[side]);
    http_client_destroy(run->client);
}

int load_http(enum load_action action, int argc, char **argv)
{
    struct http_run run = {0};
    const struct load_kind kind = {
        .name = "http",
        .arguments = "URL",
        .n_arguments = 1,
        .summary = "Sends requests to a server such as http://127.0.0.1:8080 and prints how long the answers "
                   "took. A percentile is printed only if at least ten samples lie beyond it.",
        .lanes = {.name = "connections",
                  .short_name = 'c',
                  .help = "each carries one request at a time",
                  .n_open = 1,
                  .n_max = 4096},
        .timeout_s = 5,
        .self = &run,
        .fill_table = fill_table,
        .open = open_http,
        .redone = redone,
        .close = close_http};
    return load_command(&kind, action, argc, argv);
}

int bench_http(int argc, char **argv)
{
    return load_http(LOAD_MEASURE, argc, argv);
}
