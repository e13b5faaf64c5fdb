#include "experiment.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With a baseline, its requests and the others are sent in turn for this long, so that both see the same
 * machine. */
static const uint64_t SLICE_NS = 250000000, SLICE_QUERIES = 4096;

enum collide_status experiment_create(const struct load_kind *kind, struct load_options *options,
                                      struct subject *subject, struct experiment *out,
                                      struct collide_error *err)
{
    struct measured *measured = calloc(options->repeats + 1, sizeof *measured);
    if (!measured)
        return error_no_memory(err, "the measurements");
    *out = (struct experiment){.kind = kind, .options = options, .subject = subject, .measured = measured};
    return COLLIDE_OK;
}

void experiment_free(struct experiment *e)
{
    free(e->measured);
    e->measured = NULL;
}

static bool has_baseline(const struct experiment *e)
{
    return e->subject->sides[SIDE_BASELINE].name != NULL;
}

static uint64_t n_slices_of(const struct experiment *e, struct load_span span)
{
    uint64_t by_time = (span.duration_ns + SLICE_NS - 1) / SLICE_NS;
    uint64_t by_count = (span.n_queries + SLICE_QUERIES - 1) / SLICE_QUERIES;
    return !has_baseline(e) ? 1 : by_time > by_count ? by_time : by_count;
}

static void measure(struct experiment *e, struct load *const *loads, struct load_span span,
                    struct measured *into)
{
    uint64_t n = n_slices_of(e, span);
    for (uint64_t i = 0; i < n; i++) {
        struct load_span slice = {span.duration_ns / n,
                                  span.n_queries * (i + 1) / n - span.n_queries * i / n};
        for (int side = 0; side < N_SIDES; side++)
            if (loads[side])
                load_run(loads[side], &e->subject->sides[side].messages, slice, &into->sides[side]);
    }
}

static enum collide_status create_loads(struct experiment *e, struct load *loads[N_SIDES],
                                        struct collide_error *err)
{
    const struct load_settings settings = load_options_settings(e->options);
    enum collide_status status = COLLIDE_OK;
    for (int side = 0; side < N_SIDES && status == COLLIDE_OK; side++)
        if (side == SIDE_MAIN || has_baseline(e))
            status = load_create(&settings, e->subject->sides[side].transport, &loads[side], err);
    return status;
}

static void measure_repeats(struct experiment *e, struct load *const *loads)
{
    size_t n = e->options->repeats;
    struct measured *merged = &e->measured[n];
    struct load_span warmup = {.duration_ns = ns_of(e->options->warmup_s)};
    if (warmup.duration_ns > 0)
        measure(e, loads, warmup, merged);
    memset(merged, 0, sizeof *merged);
    for (size_t i = 0; i < n; i++) {
        measure(e, loads, load_options_span(e->options), &e->measured[i]);
        for (int side = 0; side < N_SIDES; side++)
            load_stats_merge(&merged->sides[side], &e->measured[i].sides[side]);
    }
}

static enum collide_status warm_up(struct experiment *e, struct collide_error *err)
{
    const struct load_settings closed = {.mode = LOAD_CLOSED};
    struct subject_side *side = &e->subject->sides[SIDE_MAIN];
    struct load *load = NULL;
    enum collide_status status = load_create(&closed, side->transport, &load, err);
    if (status == COLLIDE_OK)
        load_run(load, &side->messages, (struct load_span){.duration_ns = ns_of(e->options->warmup_s)},
                 &e->measured[0].sides[SIDE_MAIN]);
    load_destroy(load);
    return status;
}

static enum collide_status measure_mlperf(struct experiment *e, struct collide_error *err)
{
    const struct load_options *o = e->options;
    struct subject_side *side = &e->subject->sides[SIDE_MAIN];
    struct load_stats *stats = &e->measured[0].sides[SIDE_MAIN];
    e->mlperf = (struct mlperf_settings){.scenario = (enum mlperf_scenario)o->mlperf,
                                         .span = load_options_span(o),
                                         .limit_ns = ns_of(o->limit_us * 1e-6),
                                         .seed = o->question.seed,
                                         .overrun_ns = ns_of(o->timeout_s)};
    enum collide_status status = warm_up(e, err);
    if (status == COLLIDE_OK)
        status = mlperf_run(&e->mlperf, side->transport, &side->messages, &e->mlperf_result, stats, err);
    if (status == COLLIDE_OK)
        load_stats_merge(&e->measured[1].sides[SIDE_MAIN], stats);
    return status;
}

enum collide_status experiment_measure(struct experiment *e, struct collide_error *err)
{
    struct load *loads[N_SIDES] = {NULL};
    memset(e->measured, 0, (e->options->repeats + 1) * sizeof *e->measured);
    if (e->options->mlperf != MLPERF_NONE)
        return measure_mlperf(e, err);
    enum collide_status status = create_loads(e, loads, err);
    if (status == COLLIDE_OK)
        measure_repeats(e, loads);
    for (int side = 0; side < N_SIDES; side++)
        load_destroy(loads[side]);
    return status;
}

enum collide_status experiment_find_capacity(struct experiment *e, double *per_s, struct collide_error *err)
{
    const struct mlperf_settings settings = {.scenario = MLPERF_OFFLINE, .span = {.duration_ns = 1000000000}};
    struct subject_side *side = &e->subject->sides[SIDE_MAIN];
    struct load_stats *stats = &e->measured[0].sides[SIDE_MAIN];
    struct mlperf_result result;
    enum collide_status status = warm_up(e, err);
    if (status == COLLIDE_OK)
        status = mlperf_run(&settings, side->transport, &side->messages, &result, stats, err);
    if (status == COLLIDE_OK)
        *per_s = result.value;
    return status;
}

struct report experiment_report(const struct experiment *e, char *description, size_t capacity)
{
    const struct load_options *o = e->options;
    bool is_mlperf = o->mlperf != MLPERF_NONE;
    load_options_describe(o, &e->kind->lanes, description, capacity);
    return (struct report){.command = e->kind->name,
                           .target = e->subject->target,
                           .description = description,
                           .baseline_name = is_mlperf ? NULL : e->subject->sides[SIDE_BASELINE].name,
                           .offered_per_s = o->mode == LOAD_OPEN ? o->rate : NAN,
                           .n_lanes = o->mlperf == MLPERF_SINGLE_STREAM ? 1 : o->n_lanes,
                           .settings = e->settings,
                           .n_settings = e->n_settings,
                           .machine = machine_describe(),
                           .repeats = e->measured,
                           .n_repeats = o->repeats,
                           .merged = &e->measured[o->repeats],
                           .mlperf = is_mlperf ? &e->mlperf : NULL,
                           .mlperf_result = is_mlperf ? &e->mlperf_result : NULL,
                           .redone = e->kind->redone(e->kind->self)};
}

uint64_t experiment_n_errors(const struct experiment *e)
{
    const struct measured *merged = &e->measured[e->options->repeats];
    return load_n_errors(&merged->sides[SIDE_MAIN]) + load_n_errors(&merged->sides[SIDE_BASELINE]);
}
