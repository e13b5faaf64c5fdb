#include "json.h"
#include "report.h"

#include <math.h>

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
        return;
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

enum collide_status report_print_json(FILE *out, const struct report *r, struct collide_error *err)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "version", collide_version());
    cJSON_AddStringToObject(document, "command", r->command);
    cJSON_AddStringToObject(document, "target", r->target);
    add_settings(document, r);
    add_machine(document, &r->machine);
    add_repeats(document, r);
    add_measured(cJSON_AddObjectToObject(document, "merged"), r, r->merged);
    if (r->baseline_name) {
        cJSON_AddStringToObject(document, "baseline", r->baseline_name);
        add_us(document, "ratio_p50", report_ratio(r));
    }
    cJSON_AddNumberToObject(document, "n_reconnects", (double)r->n_reconnects);
    return json_print(out, document, err);
}
