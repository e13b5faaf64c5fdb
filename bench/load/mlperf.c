#include "mlperf.h"

#include "figures.h"

#include <string.h>

/* Of the search for SERVER's rate. */
static const struct load_span TRIAL = {.duration_ns = 1000000000, .n_queries = 2000};
static const double FIRST_RATE = 1000, LEAST_RATE = 100, MOST_RATE = 1e8;
static const double CLOSE_ENOUGH = 1.02; /* of a rate that fails to one that passes */
enum { CONFIRMATIONS_MAX = 6 };

const char *const mlperf_scenario_names[N_MLPERF_SCENARIOS + 1] = {
    [MLPERF_NONE] = "none",
    [MLPERF_SINGLE_STREAM] = "single-stream",
    [MLPERF_SERVER] = "server",
    [MLPERF_OFFLINE] = "offline",
};

/* A run of a scenario, over and over for its search. */
struct trial {
    const struct mlperf_settings *settings;
    struct transport transport;
    struct load_messages *messages;
    struct load_stats *stats;
};

struct load_span mlperf_rules_span(enum mlperf_scenario scenario)
{
    static const uint64_t n_queries[N_MLPERF_SCENARIOS] = {
        [MLPERF_SINGLE_STREAM] = 1024, [MLPERF_SERVER] = 270336, [MLPERF_OFFLINE] = 24576};
    return (struct load_span){.duration_ns = 60000000000, .n_queries = n_queries[scenario]};
}

static enum collide_status run(const struct trial *t, const struct load_settings *settings,
                               struct load_span span, struct collide_error *err)
{
    struct load *load = NULL;
    enum collide_status status = load_create(settings, t->transport, &load, err);
    if (status != COLLIDE_OK)
        return status;
    memset(t->stats, 0, sizeof *t->stats);
    load_run(load, t->messages, span, t->stats);
    load_destroy(load);
    return COLLIDE_OK;
}

static enum collide_status run_closed(const struct trial *t, struct collide_error *err)
{
    const struct load_settings settings = {.mode = LOAD_CLOSED};
    return run(t, &settings, t->settings->span, err);
}

/* Whether the p99 keeps the limit at this rate and nothing is lost. */
static enum collide_status try_rate(const struct trial *t, double rate, struct load_span span, bool *passes,
                                    struct collide_error *err)
{
    const struct load_settings settings = {.mode = LOAD_OPEN,
                                           .arrivals = ARRIVALS_POISSON,
                                           .rate = rate,
                                           .seed = t->settings->seed,
                                           .overrun_ns = t->settings->overrun_ns};
    enum collide_status status = run(t, &settings, span, err);
    if (status == COLLIDE_OK)
        *passes = load_n_errors(t->stats) == 0 && quantile_is_known(t->stats->latency_ns.n, 0.99) &&
                  histogram_quantile(&t->stats->latency_ns, 0.99) <= t->settings->limit_ns;
    return status;
}

/* The highest rate that passes a short trial, within CLOSE_ENOUGH; 0 if not even LEAST_RATE does. Doubles or
 * halves until one passes and its double does not, then bisects. */
static enum collide_status search_rate(const struct trial *t, double *rate, unsigned *n_trials,
                                       struct collide_error *err)
{
    double passed = 0, failed = 0, next = FIRST_RATE;
    enum collide_status status = COLLIDE_OK;
    while (status == COLLIDE_OK && (passed == 0 || failed == 0 || failed > CLOSE_ENOUGH * passed) &&
           next >= LEAST_RATE && next <= MOST_RATE) {
        bool passes = false;
        status = try_rate(t, next, TRIAL, &passes, err);
        ++*n_trials;
        *(passes ? &passed : &failed) = next;
        next = failed == 0 ? 2 * passed : passed == 0 ? failed / 2 : (passed + failed) / 2;
    }
    *rate = passed;
    return status;
}

static enum collide_status run_server(const struct trial *t, struct mlperf_result *result,
                                      struct collide_error *err)
{
    double rate = 0;
    enum collide_status status = search_rate(t, &rate, &result->n_trials, err);
    result->unit = "requests/s";
    /* What a second bears, a minute may not. */
    for (int i = 0; i < CONFIRMATIONS_MAX && status == COLLIDE_OK && rate > 0 && !result->is_valid; i++) {
        result->value = rate;
        status = try_rate(t, rate, t->settings->span, &result->is_valid, err);
        rate /= CLOSE_ENOUGH;
    }
    return status;
}

enum collide_status mlperf_run(const struct mlperf_settings *settings, struct transport transport,
                               struct load_messages *messages, struct mlperf_result *out,
                               struct load_stats *stats, struct collide_error *err)
{
    struct trial t = {settings, transport, messages, stats};
    struct mlperf_result result = {0};
    enum collide_status status;
    if (settings->scenario == MLPERF_SERVER) {
        status = run_server(&t, &result, err);
    } else {
        bool single = settings->scenario == MLPERF_SINGLE_STREAM;
        if (single)
            t.transport.n_lanes = 1;
        status = run_closed(&t, err);
        result.unit = single ? "us, p90" : "requests/s";
        result.value = single ? figure_quantile_us(stats, 0.9) : figure_rate(stats);
        result.is_valid = load_n_errors(stats) == 0 && stats->latency_ns.n >= settings->span.n_queries;
    }
    if (status == COLLIDE_OK)
        *out = result;
    return status;
}
