#include "base/error.h"
#include "base/log.h"
#include "commands.h"
#include "http_client.h"
#include "http_model.h"
#include "http_options.h"
#include "http_requests.h"
#include "load.h"
#include "report.h"

#include <stdlib.h>

/* With a baseline, its requests and the others are sent in turn for this long, so that both see the same
 * machine. */
static const double SLICE_S = 0.25;

/* A run and all it owns. */
struct run {
    const struct http_options *options;
    struct http_url url;
    struct http_client *client;
    struct load *load;
    struct http_requests requests[N_SIDES];
    struct load_messages messages[N_SIDES];
    struct measured *measured; /* (repeats + 1), the last one merged from the others; before, the warm-up's */
};

static uint64_t ns_of(double seconds)
{
    return (uint64_t)(seconds * 1e9);
}

static int report_failure(int exit_status, const struct collide_error *err)
{
    log_error("%s", err->text);
    return exit_status;
}

static struct http_question question_of(const struct http_options *o)
{
    return (struct http_question){.n_users = o->users,
                                  .n_items = o->items,
                                  .n_candidates = o->candidates,
                                  .topk = o->topk,
                                  .batch = o->batch,
                                  .seed = o->seed};
}

static enum collide_status make_requests(struct run *run, const struct http_question *q,
                                         struct collide_error *err)
{
    static const int expected[N_SIDES] = {[SIDE_MAIN] = 200, [SIDE_BASELINE] = 404};
    const struct http_options *o = run->options;
    const char *path = o->path ? o->path : o->topk ? "/v1/topk" : "/v1/score";
    struct http_target target = {run->url.authority, path}, nothing = {run->url.authority, "/nothing-here"};
    struct http_requests *requests = run->requests;
    enum collide_status status =
        o->request_file ? http_requests_from_file(target, o->request_file, &requests[SIDE_MAIN], err)
                        : http_requests_random(target, q, &requests[SIDE_MAIN], err);
    if (status == COLLIDE_OK)
        status = http_requests_get(nothing, &requests[SIDE_BASELINE], err);
    for (int side = 0; side < N_SIDES; side++)
        run->messages[side] = (struct load_messages){
            .items = requests[side].items, .n = requests[side].n, .expected_code = expected[side]};
    return status;
}

static enum collide_status make_load(struct run *run, struct collide_error *err)
{
    const struct http_options *o = run->options;
    struct load_settings settings = {.mode = (enum load_mode)o->mode,
                                     .arrivals = (enum arrivals_kind)o->arrivals,
                                     .rate = o->rate,
                                     .seed = o->seed,
                                     .overrun_ns = ns_of(o->timeout_s)};
    run->measured = calloc(o->repeats + 1, sizeof *run->measured);
    if (!run->measured)
        return error_no_memory(err, "the measurements");
    return load_create(&settings, http_client_transport(run->client), &run->load, err);
}

static void measure(struct run *run, double seconds, struct measured *into)
{
    double slice = run->options->baseline ? SLICE_S : seconds;
    for (double left = seconds; left > 1e-9; left -= slice) {
        uint64_t slice_ns = ns_of(left < slice ? left : slice);
        load_run(run->load, &run->messages[SIDE_MAIN], slice_ns, &into->sides[SIDE_MAIN]);
        if (run->options->baseline)
            load_run(run->load, &run->messages[SIDE_BASELINE], slice_ns, &into->sides[SIDE_BASELINE]);
    }
}

static struct measured *measure_all(struct run *run)
{
    size_t n = run->options->repeats;
    struct measured *merged = &run->measured[n];
    measure(run, run->options->warmup_s, merged);
    *merged = (struct measured){0};
    for (size_t i = 0; i < n; i++) {
        measure(run, run->options->duration_s, &run->measured[i]);
        for (int side = 0; side < N_SIDES; side++)
            load_stats_merge(&merged->sides[side], &run->measured[i].sides[side]);
    }
    return merged;
}

static int print_report(const struct run *run, const struct arg *table, const struct measured *merged)
{
    const struct http_options *o = run->options;
    struct collide_error err;
    char description[256];
    http_options_describe(o, description, sizeof description);
    const struct report report = {.command = "http",
                                  .target = o->url,
                                  .description = description,
                                  .baseline_name = o->baseline ? "empty 404" : NULL,
                                  .settings = table,
                                  .n_settings = HTTP_N_OPTIONS,
                                  .machine = machine_describe(),
                                  .repeats = run->measured,
                                  .n_repeats = o->repeats,
                                  .merged = merged,
                                  .n_reconnects = http_client_n_reconnects(run->client)};
    if (!o->json)
        report_print_text(stdout, &report);
    else if (report_print_json(stdout, &report, &err) != COLLIDE_OK)
        return report_failure(BENCH_ERRORS, &err);
    bool failed = load_n_errors(&merged->sides[SIDE_MAIN]) + load_n_errors(&merged->sides[SIDE_BASELINE]) > 0;
    return failed ? BENCH_ERRORS : BENCH_OK;
}

static int run_all(struct run *run, const struct arg *table)
{
    const struct http_options *o = run->options;
    struct collide_error err;
    const struct http_client_settings settings = {.url = &run->url,
                                                  .n_connections = (unsigned)o->connections,
                                                  .timeout_ns = ns_of(o->timeout_s),
                                                  .wait = (enum http_wait)o->poll};
    struct http_question question = question_of(o);
    enum collide_status status = http_client_create(&settings, &run->client, &err);
    if (status == COLLIDE_OK && !o->request_file)
        status = http_model_ask(run->client, run->url.authority, &question, &err);
    if (status != COLLIDE_OK)
        return report_failure(status == COLLIDE_IO ? BENCH_UNREACHABLE : BENCH_USAGE, &err);
    status = make_requests(run, &question, &err);
    if (status == COLLIDE_OK)
        status = make_load(run, &err);
    if (status != COLLIDE_OK)
        return report_failure(BENCH_USAGE, &err);
    return print_report(run, table, measure_all(run));
}

static void run_free(struct run *run)
{
    free(run->measured);
    load_destroy(run->load);
    for (int side = 0; side < N_SIDES; side++)
        http_requests_free(&run->requests[side]);
    http_client_destroy(run->client);
}

int bench_http(int argc, char **argv)
{
    struct http_options o = http_options_defaults();
    struct arg table[HTTP_N_OPTIONS];
    struct args_positionals positionals = {.min = 1, .max = 1, .names = "URL"};
    struct collide_error err;
    http_options_fill_table(&o, table);
    switch (args_parse(table, HTTP_N_OPTIONS, argc, argv, &positionals, &err)) {
    case ARGS_HELP:
        args_print_help(
            stdout, "collide-bench http [options] URL",
            "Sends requests to a server such as http://127.0.0.1:8080 and prints how long the answers "
            "took. A percentile is printed only if at least ten samples lie beyond it.",
            table, HTTP_N_OPTIONS);
        return BENCH_OK;
    case ARGS_BAD:
        return report_failure(BENCH_USAGE, &err);
    case ARGS_OK:
        break;
    }
    struct run run = {.options = &o};
    o.url = positionals.values[0];
    if (http_options_check(&o, &err) != COLLIDE_OK || http_url_parse(o.url, &run.url, &err) != COLLIDE_OK)
        return report_failure(BENCH_USAGE, &err);
    int exit_status = run_all(&run, table);
    run_free(&run);
    return exit_status;
}
