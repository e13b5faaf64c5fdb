#include "load_options.h"

#include "base/error.h"
#include "mlperf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { N_LOAD = 12, N_REST = LOAD_N_OPTIONS - N_LOAD };

static const double DEFAULT_DURATION_S = 10;

static const char *const mode_names[] = {[LOAD_CLOSED] = "closed", [LOAD_OPEN] = "open", NULL};
static const char *const arrivals_names[] = {
    [ARRIVALS_CONSTANT] = "constant", [ARRIVALS_POISSON] = "poisson", NULL};
static const char *const wait_names[] = {[LOAD_WAIT_SPIN] = "spin", [LOAD_WAIT_SLEEP] = "sleep", NULL};

static void fill_load(struct load_options *o, const struct load_lanes *lanes, struct arg *table)
{
    const struct arg args[N_LOAD] = {
        {"mode", 'm', ARG_CHOICE, &o->mode, .choices = mode_names, .group = "Load",
         .help = "closed: asks again as soon as it is answered; open: requests fall due at --rate, and "
                 "their latency counts from then, whether or not they could be sent"},
        {"rate", 'r', ARG_DOUBLE, &o->rate, .low = 0, .high = 1e8, .group = "Load", .value_name = "R",
         .default_text = "", .help = "open loop: requests per second"},
        {"arrivals", 'a', ARG_CHOICE, &o->arrivals, .choices = arrivals_names, .group = "Load",
         .help = "open loop: evenly spaced, or as independent users come"},
        {lanes->name, lanes->short_name, ARG_U64, &o->n_lanes, .min = 1, .max = lanes->n_max, .group = "Load",
         .default_text = lanes->n_open > 1 ? "1, or 256 where the load is open or all at once" : "1",
         .help = lanes->help},
        {"duration", 'd', ARG_DOUBLE, &o->duration_s, .low = 0.01, .high = 1e6, .group = "Load",
         .value_name = "S", .default_text = "10, or what --queries or MLPerf's rules take",
         .help = "seconds measured in each repeat, at least; a baseline takes as long again"},
        {"queries", 'q', ARG_U64, &o->n_queries, .min = 1, .group = "Load", .default_text = "",
         .help = "requests measured in each repeat, at least; MLPerf's server takes 270336"},
        {"warmup", 'w', ARG_DOUBLE, &o->warmup_s, .low = 0, .high = 1e6, .group = "Load", .value_name = "S",
         .help = "seconds of the same load before, not measured"},
        {"repeats", 'n', ARG_U64, &o->repeats, .min = 1, .max = 1000, .group = "Load",
         .help = "measure so many times, for the spread"},
        {"timeout", '\0', ARG_DOUBLE, &o->timeout_s, .low = 0.001, .high = 1e6, .group = "Load",
         .value_name = "S", .help = "seconds after which a request is given up as an error"},
        {"poll", '\0', ARG_CHOICE, &o->wait, .choices = wait_names, .group = "Load",
         .help = "how to wait for answers: spin takes a whole CPU and adds least; sleep adds a wake-up"},
        {"mlperf", '\0', ARG_CHOICE, &o->mlperf, .choices = mlperf_scenario_names, .group = "Load",
         .help = "a scenario of MLPerf Inference instead: the p90 of one request at a time; the highest "
                 "Poisson rate whose p99 is within --limit-us; or throughput"},
        {"limit-us", '\0', ARG_DOUBLE, &o->limit_us, .low = 0, .high = 1e9, .group = "Load",
         .value_name = "US", .default_text = "", .help = "the p99 that is still good"},
    };
    memcpy(table, args, sizeof args);
}

static void fill_rest(struct load_options *o, struct arg *table)
{
    struct question *q = &o->question;
    const struct arg args[N_REST] = {
        {"candidates", 'k', ARG_U64, &q->n_candidates, .min = 1, .max = QUERY_IDS_MAX, .group = "Requests",
         .help = "random items to score in each query"},
        {"topk", 't', ARG_U64, &q->topk, .group = "Requests", .value_name = "K", .default_text = "",
         .help = "ask for the K best of all items instead"},
        {"history", '\0', ARG_U64, &q->n_history, .max = QUERY_IDS_MAX, .group = "Requests",
         .value_name = "H", .default_text = "",
         .help = "ask with a history of H random items instead of a user"},
        {"users", 'u', ARG_U64, &q->n_users, .group = "Requests",
         .default_text = "what the server's /v1/model says", .help = "draw user ids below this"},
        {"items", 'i', ARG_U64, &q->n_items, .group = "Requests",
         .default_text = "what the server's /v1/model says", .help = "draw item ids below this"},
        {"seed", 's', ARG_U64, &q->seed, .group = "Requests", .help = "of ids and arrivals"},
        {"json", 'j', ARG_FLAG, &o->json, .group = "Output",
         .help = "JSON instead of a table; collide-bench report draws it"},
        {"csv", '\0', ARG_TEXT, &o->csv, .group = "Output", .value_name = "FILE",
         .help = "write a line for each repeat and one for all, too"},
        {"hgrm", '\0', ARG_TEXT, &o->hgrm, .group = "Output", .value_name = "FILE",
         .help = "write the percentiles in HdrHistogram's text format, too"},
    };
    memcpy(table, args, sizeof args);
}

void load_options_fill_table(struct load_options *o, const struct load_lanes *lanes,
                             struct arg table[LOAD_N_OPTIONS])
{
    fill_load(o, lanes, table);
    fill_rest(o, table + N_LOAD);
}

void sweep_options_fill_table(struct load_options *o, struct arg table[SWEEP_N_OPTIONS])
{
    const struct arg args[SWEEP_N_OPTIONS] = {
        {"rates", '\0', ARG_U64_LIST, &o->sweep_rates, .min = 1, .max = 100000000, .group = "Sweep",
         .value_name = "R,R...", .default_text = "", .help = "requests per second, one after the other"},
        {"steps", '\0', ARG_U64, &o->sweep_steps, .min = 2, .max = ARG_LIST_MAX, .group = "Sweep",
         .help = "without --rates: so many, evenly up to the throughput that is found with every lane busy; "
                 "none beyond the first whose p99 is over --limit-us"},
    };
    memcpy(table, args, sizeof args);
}

struct load_options load_options_defaults(void)
{
    return (struct load_options){.warmup_s = 1,
                                 .repeats = 1,
                                 .sweep_steps = 10,
                                 .question = {.n_candidates = 100, .batch = 1, .seed = 1}};
}

static bool is_open(const struct load_options *o)
{
    return o->mode == LOAD_OPEN || o->mlperf == MLPERF_SERVER;
}

static enum collide_status check_mlperf(const struct load_options *o, struct collide_error *err)
{
    if (o->mlperf == MLPERF_NONE)
        return COLLIDE_OK;
    if (o->mode == LOAD_OPEN || o->repeats > 1)
        return error_set(err, COLLIDE_INVALID, "--mlperf sets --mode, --rate and --repeats itself");
    if (o->mlperf == MLPERF_SERVER && o->limit_us <= 0)
        return error_set(err, COLLIDE_INVALID, "--mlperf server needs a --limit-us for the p99");
    return COLLIDE_OK;
}

static enum collide_status check(const struct load_options *o, struct collide_error *err)
{
    if (o->mode == LOAD_OPEN && o->rate <= 0)
        return error_set(err, COLLIDE_INVALID, "--mode open needs a --rate");
    if (o->mode == LOAD_CLOSED && o->rate > 0)
        return error_set(err, COLLIDE_INVALID, "--rate is for --mode open: a closed loop sets its own pace");
    return check_mlperf(o, err);
}

enum collide_status load_options_settle(struct load_options *o, const struct load_lanes *lanes,
                                        struct collide_error *err)
{
    enum collide_status status = check(o, err);
    if (status != COLLIDE_OK)
        return status;
    if (o->n_lanes == 0)
        o->n_lanes = is_open(o) || o->mlperf == MLPERF_OFFLINE ? lanes->n_open : 1;
    if (o->duration_s == 0 && o->n_queries == 0 && o->mlperf == MLPERF_NONE)
        o->duration_s = DEFAULT_DURATION_S;
    return COLLIDE_OK;
}

enum collide_status sweep_options_settle(struct load_options *o, struct collide_error *err)
{
    if (o->mode == LOAD_OPEN || o->rate > 0 || o->mlperf != MLPERF_NONE)
        return error_set(err, COLLIDE_INVALID, "a sweep sets --mode and --rate itself; see --rates");
    if (o->hgrm)
        return error_set(err, COLLIDE_INVALID, "--hgrm holds one measurement; a sweep is many");
    o->mode = LOAD_OPEN;
    o->rate = 1; /* until the sweep begins */
    return COLLIDE_OK;
}

struct load_span load_options_span(const struct load_options *o)
{
    bool by_rules = o->duration_s == 0 && o->n_queries == 0;
    return by_rules ? mlperf_rules_span((enum mlperf_scenario)o->mlperf)
                    : (struct load_span){ns_of(o->duration_s), o->n_queries};
}

struct load_settings load_options_settings(const struct load_options *o)
{
    return (struct load_settings){.mode = (enum load_mode)o->mode,
                                  .arrivals = (enum arrivals_kind)o->arrivals,
                                  .rate = o->rate,
                                  .seed = o->question.seed,
                                  .overrun_ns = ns_of(o->timeout_s)};
}

static const char *plural_of(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void describe_question(const struct question *q, char *out, size_t capacity)
{
    char history[64] = "", batch[64] = "";
    if (q->n_history)
        snprintf(history, sizeof history, " for a history of %" PRIu64, q->n_history);
    if (q->batch > 1)
        snprintf(batch, sizeof batch, ", %" PRIu64 " queries per request", q->batch);
    if (q->topk)
        snprintf(out, capacity, "top %" PRIu64 "%s%s", q->topk, history, batch);
    else
        snprintf(out, capacity, "%" PRIu64 " candidate%s%s%s", q->n_candidates, plural_of(q->n_candidates),
                 history, batch);
}

static void describe_pace(const struct load_options *o, char *out, size_t capacity)
{
    if (o->mlperf != MLPERF_NONE)
        snprintf(out, capacity, "MLPerf %s", mlperf_scenario_names[o->mlperf]);
    else if (o->mode == LOAD_OPEN)
        snprintf(out, capacity, "open loop, %g/s %s", o->rate, arrivals_names[o->arrivals]);
    else
        snprintf(out, capacity, "closed loop");
}

static void describe_span(const struct load_options *o, char *out, size_t capacity)
{
    struct load_span span = load_options_span(o);
    if (span.n_queries > 0 && span.duration_ns > 0)
        snprintf(out, capacity, "%" PRIu64 " queries and %g s", span.n_queries,
                 (double)span.duration_ns * 1e-9);
    else if (span.n_queries > 0)
        snprintf(out, capacity, "%" PRIu64 " queries", span.n_queries);
    else
        snprintf(out, capacity, "%g s", o->duration_s);
}

void load_options_describe(const struct load_options *o, const struct load_lanes *lanes, char *out,
                           size_t capacity)
{
    char pace[64], span[64], question[160];
    describe_pace(o, pace, sizeof pace);
    describe_span(o, span, sizeof span);
    describe_question(&o->question, question, sizeof question);
    snprintf(out, capacity, "%s, %s %" PRIu64 ", %s x %" PRIu64 " after %g s, %s", pace, lanes->name,
             o->n_lanes, span, o->repeats, o->warmup_s, question);
}
