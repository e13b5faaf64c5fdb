#include "percentiles.h"
#include "report.h"

#include <math.h>
#include <stdio.h>

enum { TICKS_PER_HALF = 5 };

static void add_setting(cJSON *object, const struct arg *a)
{
    switch (a->type) {
    case ARG_FLAG:
        cJSON_AddBoolToObject(object, a->name, *(const bool *)a->target);
        return;
    case ARG_TEXT:
        if (*(const char *const *)a->target)
            cJSON_AddStringToObject(object, a->name, *(const char *const *)a->target);
        else
            cJSON_AddNullToObject(object, a->name);
        return;
    case ARG_U64:
        cJSON_AddNumberToObject(object, a->name, (double)*(const uint64_t *)a->target);
        return;
    case ARG_DOUBLE:
        cJSON_AddNumberToObject(object, a->name, *(const double *)a->target);
        return;
    case ARG_CHOICE:
        cJSON_AddStringToObject(object, a->name, a->choices[*(const int *)a->target]);
        return;
    case ARG_TEXT_LIST:
    case ARG_U64_LIST:
        return; /* a sweep's rates: each document tells its own */
    }
}

static void add_settings(cJSON *document, const struct report *r)
{
    cJSON *object = cJSON_AddObjectToObject(document, "settings");
    for (size_t i = 0; i < r->n_settings; i++)
        add_setting(object, &r->settings[i]);
}

static void add_machine(cJSON *document, const struct machine *m)
{
    cJSON *object = cJSON_AddObjectToObject(document, "machine");
    cJSON_AddStringToObject(object, "cpu", m->cpu);
    cJSON_AddNumberToObject(object, "n_cpus", m->n_cpus);
    cJSON_AddStringToObject(object, "kernel", m->kernel);
}

/* Rounded to nanoseconds; cJSON writes NAN as null. */
static void add_us(cJSON *object, const char *name, double us)
{
    cJSON_AddNumberToObject(object, name, round(us * 1e3) / 1e3);
}

/* Pairs of a percentile and its latency in us, compact. */
static void add_percentiles(cJSON *object, const struct histogram *h)
{
    cJSON *array = cJSON_AddArrayToObject(object, "percentiles");
    struct percentiles percentiles = percentiles_of(h, TICKS_PER_HALF);
    struct percentile p;
    char text[64];
    while (percentiles_next(&percentiles, &p)) {
        snprintf(text, sizeof text, "[%.10g, %.10g]", p.quantile * 100, (double)p.value * 1e-3);
        cJSON_AddItemToArray(array, cJSON_CreateRaw(text));
    }
}

/* Nothing of nothing. */
static void add_figures(cJSON *parent, const char *name, const struct histogram *h, double unit)
{
    if (h->n == 0)
        return;
    cJSON *figures = cJSON_AddObjectToObject(parent, name);
    add_us(figures, "mean", histogram_mean(h) * unit);
    add_us(figures, "p50", figure_quantile(h, 0.5) * unit);
    add_us(figures, "p99", figure_quantile(h, 0.99) * unit);
}

static void add_stages(cJSON *object, const struct load_stats *s)
{
    static const char *const names[N_STAGES] = {[STAGE_WAIT_NS] = "wait_us",
                                                [STAGE_READ_NS] = "read_us",
                                                [STAGE_SCORE_NS] = "score_us",
                                                [STAGE_TOGETHER] = "n_together"};
    if (s->stages[STAGE_WAIT_NS].n == 0)
        return;
    cJSON *stages = cJSON_AddObjectToObject(object, "server");
    for (int stage = 0; stage < N_STAGES; stage++)
        add_figures(stages, names[stage], &s->stages[stage], stage == STAGE_TOGETHER ? 1 : 1e-3);
}

static void add_stats(cJSON *parent, const char *name, const struct load_stats *s)
{
    cJSON *object = cJSON_AddObjectToObject(parent, name);
    cJSON_AddNumberToObject(object, "n_requests", (double)s->latency_ns.n);
    cJSON_AddNumberToObject(object, "requests_per_s", round(figure_rate(s) * 10) / 10);
    add_us(object, "mean_us", figure_mean_us(s));
    add_us(object, "p50_us", figure_quantile_us(s, 0.5));
    add_us(object, "p90_us", figure_quantile_us(s, 0.9));
    add_us(object, "p99_us", figure_quantile_us(s, 0.99));
    add_us(object, "p99_9_us", figure_quantile_us(s, 0.999));
    add_us(object, "max_us", figure_max_us(s));
    cJSON_AddNumberToObject(object, "n_errors", (double)load_n_errors(s));
    cJSON *errors = cJSON_AddObjectToObject(object, "errors");
    for (int e = 0; e < N_LOAD_ERRORS; e++)
        cJSON_AddNumberToObject(errors, load_error_name((enum load_error)e), (double)s->errors[e]);
    add_figures(object, "refused_us", &s->refused_ns, 1e-3);
    add_figures(object, "sent_late_us", &s->late_ns, 1e-3);
    add_stages(object, s);
}

static void add_measured(cJSON *object, const struct report *r, const struct measured *m)
{
    add_stats(object, "main", &m->sides[SIDE_MAIN]);
    if (r->baseline_name)
        add_stats(object, "baseline", &m->sides[SIDE_BASELINE]);
}

static void add_spread(cJSON *parent, const char *name, struct spread s)
{
    cJSON *object = cJSON_AddObjectToObject(parent, name);
    add_us(object, "min", s.min);
    add_us(object, "median", s.median);
    add_us(object, "max", s.max);
}

static void add_repeats(cJSON *document, const struct report *r)
{
    cJSON *array = cJSON_AddArrayToObject(document, "repeats");
    for (size_t i = 0; i < r->n_repeats; i++) {
        cJSON *object = cJSON_CreateObject();
        add_measured(object, r, &r->repeats[i]);
        cJSON_AddItemToArray(array, object);
    }
    cJSON *spread = cJSON_AddObjectToObject(document, "spread");
    add_spread(spread, "p50_us", report_spread_us(r, SIDE_MAIN, 0.5));
    add_spread(spread, "p99_us", report_spread_us(r, SIDE_MAIN, 0.99));
}

static void add_merged(cJSON *document, const struct report *r)
{
    cJSON *merged = cJSON_AddObjectToObject(document, "merged");
    add_measured(merged, r, r->merged);
    add_percentiles(cJSON_GetObjectItem(merged, "main"), &r->merged->sides[SIDE_MAIN].latency_ns);
    if (r->baseline_name)
        add_percentiles(cJSON_GetObjectItem(merged, "baseline"), &r->merged->sides[SIDE_BASELINE].latency_ns);
}

static void add_mlperf(cJSON *document, const struct report *r)
{
    const struct mlperf_settings *settings = r->mlperf;
    cJSON *object = cJSON_AddObjectToObject(document, "mlperf");
    cJSON_AddStringToObject(object, "scenario", mlperf_scenario_names[settings->scenario]);
    cJSON_AddNumberToObject(object, "value", r->mlperf_result->value);
    cJSON_AddStringToObject(object, "unit", r->mlperf_result->unit);
    cJSON_AddBoolToObject(object, "valid", r->mlperf_result->is_valid);
    cJSON_AddNumberToObject(object, "min_duration_s", (double)settings->span.duration_ns * 1e-9);
    cJSON_AddNumberToObject(object, "min_queries", (double)settings->span.n_queries);
    cJSON_AddNumberToObject(object, "n_trials", r->mlperf_result->n_trials);
}

cJSON *report_json(const struct report *r)
{
    char redone[64];
    cJSON *document = cJSON_CreateObject();
    snprintf(redone, sizeof redone, "n_%s", r->redone.name);
    cJSON_AddStringToObject(document, "version", collide_version());
    cJSON_AddStringToObject(document, "command", r->command);
    cJSON_AddStringToObject(document, "target", r->target);
    cJSON_AddStringToObject(document, "description", r->description);
    cJSON_AddNumberToObject(document, "offered_per_s", r->offered_per_s);
    cJSON_AddNumberToObject(document, "n_lanes", (double)r->n_lanes);
    add_settings(document, r);
    add_machine(document, &r->machine);
    add_repeats(document, r);
    add_merged(document, r);
    if (r->mlperf)
        add_mlperf(document, r);
    if (r->baseline_name) {
        cJSON_AddStringToObject(document, "baseline", r->baseline_name);
        add_us(document, "ratio_p50", report_ratio(r));
    }
    cJSON_AddNumberToObject(document, redone, (double)r->redone.n);
    return document;
}
