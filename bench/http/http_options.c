#include "http_options.h"

#include "base/error.h"
#include "http_client.h"
#include "load.h"

#include <inttypes.h>
#include <string.h>

enum { QUERY_IDS_MAX = 1000000 };

static const char *const mode_names[] = {[LOAD_CLOSED] = "closed", [LOAD_OPEN] = "open", NULL};
static const char *const arrivals_names[] = {
    [ARRIVALS_CONSTANT] = "constant", [ARRIVALS_POISSON] = "poisson", NULL};
static const char *const wait_names[] = {[HTTP_WAIT_SPIN] = "spin", [HTTP_WAIT_SLEEP] = "sleep", NULL};

void http_options_fill_table(struct http_options *o, struct arg table[HTTP_N_OPTIONS])
{
    const struct arg args[HTTP_N_OPTIONS] = {
        {"mode", 'm', ARG_CHOICE, &o->mode, .choices = mode_names, .group = "Load",
         .help = "closed: each connection asks again as soon as it is answered; open: requests fall due at "
                 "--rate, "
                 "and their latency counts from then, whether or not a connection was free"},
        {"rate", 'r', ARG_DOUBLE, &o->rate, .low = 0, .high = 1e8, .group = "Load", .value_name = "R",
         .default_text = "", .help = "open loop: requests per second"},
        {"arrivals", 'a', ARG_CHOICE, &o->arrivals, .choices = arrivals_names, .group = "Load",
         .help = "open loop: evenly spaced, or as independent users come"},
        {"connections", 'c', ARG_U64, &o->connections, .min = 1, .max = 4096, .group = "Load",
         .value_name = "C", .help = "each carries one request at a time"},
        {"duration", 'd', ARG_DOUBLE, &o->duration_s, .low = 0.01, .high = 1e6, .group = "Load",
         .value_name = "S", .help = "seconds measured in each repeat; a baseline takes as long again"},
        {"warmup", 'w', ARG_DOUBLE, &o->warmup_s, .low = 0, .high = 1e6, .group = "Load", .value_name = "S",
         .help = "seconds of the same load before, not measured"},
        {"repeats", 'n', ARG_U64, &o->repeats, .min = 1, .max = 1000, .group = "Load",
         .help = "measure so many times, for the spread"},
        {"baseline", 'b', ARG_FLAG, &o->baseline, .group = "Load",
         .help = "measure an empty 404 too, in turn with the requests, and print the ratio"},
        {"timeout", '\0', ARG_DOUBLE, &o->timeout_s, .low = 0.001, .high = 1e6, .group = "Load",
         .value_name = "S", .help = "seconds after which a request is given up as an error"},
        {"poll", '\0', ARG_CHOICE, &o->poll, .choices = wait_names, .group = "Load",
         .help = "how to wait for answers: spin takes a whole CPU and adds least; sleep adds a wake-up"},
        {"candidates", 'k', ARG_U64, &o->candidates, .min = 1, .max = 1000000, .group = "Requests",
         .help = "random items to score in each query"},
        {"topk", 't', ARG_U64, &o->topk, .group = "Requests", .value_name = "K", .default_text = "",
         .help = "ask for the K best of all items instead"},
        {"batch", '\0', ARG_U64, &o->batch, .min = 1, .max = 10000, .group = "Requests", .value_name = "B",
         .help = "queries in each request"},
        {"users", 'u', ARG_U64, &o->users, .group = "Requests",
         .default_text = "what the server's /v1/model says", .help = "draw user ids below this"},
        {"items", 'i', ARG_U64, &o->items, .group = "Requests",
         .default_text = "what the server's /v1/model says", .help = "draw item ids below this"},
        {"request-file", 'f', ARG_TEXT, &o->request_file, .group = "Requests", .value_name = "FILE",
         .help = "send the lines of this file in turn as bodies instead"},
        {"path", 'p', ARG_TEXT, &o->path, .group = "Requests", .value_name = "PATH",
         .default_text = "/v1/score, or /v1/topk with --topk", .help = "where to send them"},
        {"seed", 's', ARG_U64, &o->seed, .group = "Requests", .help = "of ids and arrivals"},
        {"json", 'j', ARG_FLAG, &o->json, .group = "Output", .help = "one JSON document instead of a table"},
    };
    memcpy(table, args, sizeof args);
}

struct http_options http_options_defaults(void)
{
    return (struct http_options){.connections = 1,
                                 .duration_s = 10,
                                 .warmup_s = 1,
                                 .timeout_s = 5,
                                 .candidates = 100,
                                 .batch = 1,
                                 .seed = 1,
                                 .repeats = 1};
}

enum collide_status http_options_check(const struct http_options *o, struct collide_error *err)
{
    if (o->mode == LOAD_OPEN && o->rate <= 0)
        return error_set(err, COLLIDE_INVALID, "--mode open needs a --rate");
    if (o->mode == LOAD_CLOSED && o->rate > 0)
        return error_set(err, COLLIDE_INVALID, "--rate is for --mode open: a closed loop sets its own pace");
    if (!o->request_file && o->batch * o->candidates > QUERY_IDS_MAX)
        return error_set(err, COLLIDE_INVALID, "--batch times --candidates is above %d", QUERY_IDS_MAX);
    if (o->path && o->path[0] != '/')
        return error_set(err, COLLIDE_INVALID, "--path: '%s' does not start with /", o->path);
    return COLLIDE_OK;
}

static const char *plural_of(uint64_t n)
{
    return n == 1 ? "" : "s";
}

void http_options_describe(const struct http_options *o, char *out, size_t capacity)
{
    char pace[64] = "closed loop", question[64] = "requests from a file", batch[64] = "";
    if (o->mode == LOAD_OPEN)
        snprintf(pace, sizeof pace, "open loop, %g/s %s", o->rate, arrivals_names[o->arrivals]);
    if (!o->request_file && o->topk)
        snprintf(question, sizeof question, "top %" PRIu64, o->topk);
    else if (!o->request_file)
        snprintf(question, sizeof question, "%" PRIu64 " candidate%s", o->candidates,
                 plural_of(o->candidates));
    if (!o->request_file && o->batch > 1)
        snprintf(batch, sizeof batch, ", %" PRIu64 " queries per request", o->batch);
    snprintf(out, capacity, "%s, %" PRIu64 " connection%s, %g s x %" PRIu64 " after %g s, %s%s", pace,
             o->connections, plural_of(o->connections), o->duration_s, o->repeats, o->warmup_s, question,
             batch);
}
