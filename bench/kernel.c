/* `collide-bench kernel`: remap + embedding-bag on a device, beside the same work in plain scalar C, in one
 * run. */
#include "base/args.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/log.h"
#include "commands.h"
#include "kernel_report.h"
#include "score/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    uint64_t n_ids, n_rows, dim, bag, n_bags, repeats, seed;
    int precision;
    const char *device;
    const char *engine;
    bool json;
};

/* A sample for each repeat. */
struct samples {
    double *values;
    size_t n;
};

struct results {
    struct samples kernel; /* ns a lookup */
    struct samples scalar;
    struct samples lines;   /* ns a random line */
    struct histogram *pair; /* ns from submitting one pair to having its score */
    const char *engine;
};

enum { N_PAIR_RUNS = 20000, N_PAIR_WARM_UP = 1000 };

static enum collide_status run_kernel(struct engine_lane *lane, enum scoring_kernel kernel,
                                      const struct kernel_case *c, struct collide_error *err)
{
    size_t n_lookups = (size_t)c->shape.n_bags * c->shape.bag;
    struct engine_work work = {
        .kernel = kernel,
        .n_work_items = c->shape.n_bags,
        .used_bytes = {[REGION_QUERIES] = c->shape.n_bags * sizeof(device_query),
                       [REGION_HISTORY] = n_lookups * sizeof(uint32_t),
                       [REGION_HISTORY_WEIGHTS] = n_lookups * sizeof(float),
                       [REGION_SCORES] = (size_t)c->shape.n_bags * c->shape.dim * sizeof(float)},
    };
    enum collide_status status = engine_submit(lane, 0, &work, err);
    return status == COLLIDE_OK ? engine_wait(lane, 0, err) : status;
}

/* The two must agree before their speeds are worth comparing: sums of `bag` products, each off by 2^-23 at
 * most. */
static enum collide_status compare(const float *kernel, const float *scalar, const struct kernel_case *c,
                                   struct collide_error *err)
{
    size_t n = (size_t)c->shape.n_bags * c->shape.dim;
    double tolerance = (double)c->shape.bag * c->shape.bag * 2.0 * 0x1p-23;
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)kernel[i] - (double)scalar[i]) <= tolerance))
            return error_set(err, COLLIDE_DEVICE, "the kernel's value %zu is %g, that of scalar C %g", i,
                             (double)kernel[i], (double)scalar[i]);
    return COLLIDE_OK;
}

static enum collide_status measure_bags(struct engine_lane *lane, struct kernel_case *c, struct results *r,
                                        size_t repeats, struct collide_error *err)
{
    double n_lookups = (double)c->shape.n_bags * c->shape.bag;
    device_query *queries = engine_lane_region(lane, 0, REGION_QUERIES);
    float *weights = engine_lane_region(lane, 0, REGION_HISTORY_WEIGHTS);
    float *scalar = malloc((size_t)c->shape.n_bags * c->shape.dim * sizeof *scalar);
    if (!scalar)
        return error_no_memory(err, "the scalar results");
    for (uint32_t b = 0; b < c->shape.n_bags; b++)
        queries[b] = (device_query){.history_begin = b * c->shape.bag, .history_end = (b + 1) * c->shape.bag};
    for (size_t i = 0; i < (size_t)n_lookups; i++)
        weights[i] = 1.0f;
    enum collide_status status = COLLIDE_OK;
    volatile uint64_t sink;
    for (size_t i = 0; i <= repeats && status == COLLIDE_OK; i++) { /* the first is the warm-up */
        kernel_case_draw_ids(c);
        memcpy(engine_lane_region(lane, 0, REGION_HISTORY), c->ids, (size_t)n_lookups * sizeof(uint32_t));
        uint64_t start = clock_now_ns();
        status = run_kernel(lane, KERNEL_BAG, c, err);
        double kernel_ns = clock_seconds_since(start) * 1e9 / n_lookups;
        kernel_case_draw_ids(c); /* others, since the kernel has just brought these into the caches */
        start = clock_now_ns();
        kernel_scalar_bags(c, scalar);
        double scalar_ns = clock_seconds_since(start) * 1e9 / n_lookups;
        kernel_case_draw_ids(c);
        start = clock_now_ns();
        sink = kernel_random_lines(c);
        double line_ns = clock_seconds_since(start) * 1e9 / n_lookups;
        if (i > 0) {
            r->lines.values[r->lines.n++] = line_ns;
            r->kernel.values[r->kernel.n++] = kernel_ns;
            r->scalar.values[r->scalar.n++] = scalar_ns;
        }
    }
    (void)sink;
    if (status == COLLIDE_OK) {
        memcpy(engine_lane_region(lane, 0, REGION_HISTORY), c->ids, (size_t)n_lookups * sizeof(uint32_t));
        kernel_scalar_bags(c, scalar);
        status = run_kernel(lane, KERNEL_BAG, c, err);
    }
    if (status == COLLIDE_OK)
        status = compare(engine_lane_region(lane, 0, REGION_SCORES), scalar, c, err);
    free(scalar);
    return status;
}

static enum collide_status measure_pairs(struct engine_lane *lane, struct kernel_case *c,
                                         struct histogram *out, struct collide_error *err)
{
    device_query *query = engine_lane_region(lane, 0, REGION_QUERIES);
    uint32_t *history = engine_lane_region(lane, 0, REGION_HISTORY);
    uint32_t *items = engine_lane_region(lane, 0, REGION_ITEMS);
    const struct engine_work work = {.kernel = KERNEL_SCORE,
                                     .n_work_items = 1,
                                     .used_bytes = {[REGION_QUERIES] = sizeof *query,
                                                    [REGION_HISTORY] = sizeof *history,
                                                    [REGION_HISTORY_WEIGHTS] = sizeof(float),
                                                    [REGION_ITEMS] = sizeof *items,
                                                    [REGION_SCORES] = sizeof(float)}};
    *query = (device_query){.history_end = 1, .items_end = 1};
    for (int i = 0; i < N_PAIR_WARM_UP + N_PAIR_RUNS; i++) {
        *history = (uint32_t)rng_below(&c->rng, c->shape.n_ids);
        *items = (uint32_t)rng_below(&c->rng, c->shape.n_ids);
        uint64_t start = clock_now_ns();
        enum collide_status status = engine_submit(lane, 0, &work, err);
        if (status == COLLIDE_OK)
            status = engine_wait(lane, 0, err);
        if (status != COLLIDE_OK)
            return status;
        if (i >= N_PAIR_WARM_UP)
            histogram_record(out, clock_now_ns() - start);
    }
    return COLLIDE_OK;
}

static enum collide_status measure(struct device *device, enum engine_kind kind, struct kernel_case *c,
                                   size_t repeats, struct results *r, struct collide_error *err)
{
    struct kernels *kernels = NULL;
    struct engine_lane *lane = NULL;
    size_t n_lookups = (size_t)c->shape.n_bags * c->shape.bag;
    const size_t bytes[N_SCORING_REGIONS] = {
        [REGION_QUERIES] = c->shape.n_bags * sizeof(device_query),
        [REGION_HISTORY] = n_lookups * sizeof(uint32_t),
        [REGION_HISTORY_WEIGHTS] = n_lookups * sizeof(float),
        [REGION_ITEMS] = sizeof(uint32_t),
        [REGION_SCORES] = (size_t)c->shape.n_bags * c->shape.dim * sizeof(float),
    };
    enum collide_status status = kernels_create(device, &c->model, kind, NULL, &kernels, err);
    if (status == COLLIDE_OK)
        status = engine_lane_create(kernels->engine, bytes, &lane, err);
    if (status == COLLIDE_OK)
        status = measure_bags(lane, c, r, repeats, err);
    if (status == COLLIDE_OK)
        status = measure_pairs(lane, c, r->pair, err);
    if (status == COLLIDE_OK)
        r->engine = engine_kind_name(engine_kind_of(kernels->engine));
    engine_lane_destroy(lane);
    kernels_destroy(kernels);
    return status;
}

static struct spread spread_of(struct samples *s)
{
    return figure_spread(s->values, s->n);
}

static enum collide_status print_results(const struct options *o, struct results *r,
                                         const struct kernel_case *c, const char *device,
                                         struct collide_error *err)
{
    const struct kernel_report report = {.shape = &c->shape,
                                         .machine = machine_describe(),
                                         .device = device,
                                         .engine = r->engine,
                                         .kernel = spread_of(&r->kernel),
                                         .scalar = spread_of(&r->scalar),
                                         .lines = spread_of(&r->lines),
                                         .lookup_bytes = kernel_case_lookup_bytes(c),
                                         .pair_p50_us = (double)histogram_quantile(r->pair, 0.5) / 1e3,
                                         .pair_p99_us = (double)histogram_quantile(r->pair, 0.99) / 1e3};
    if (o->json)
        return kernel_report_print_json(stdout, &report, err);
    kernel_report_print_text(stdout, &report);
    return COLLIDE_OK;
}

static enum collide_status run(const struct options *o, struct collide_error *err)
{
    const struct kernel_shape shape = {.n_ids = (uint32_t)o->n_ids,
                                       .n_rows = (uint32_t)(o->n_rows ? o->n_rows : o->n_ids),
                                       .dim = (uint32_t)o->dim,
                                       .bag = (uint32_t)o->bag,
                                       .n_bags = (uint32_t)o->n_bags,
                                       .precision = (enum precision)o->precision};
    struct kernel_case *c = NULL;
    struct device *device = NULL;
    enum engine_kind kind = ENGINE_AUTO;
    struct results r = {.kernel = {.values = calloc(o->repeats, sizeof(double))},
                        .scalar = {.values = calloc(o->repeats, sizeof(double))},
                        .lines = {.values = calloc(o->repeats, sizeof(double))},
                        .pair = calloc(1, sizeof *r.pair)};
    enum collide_status status = r.kernel.values && r.scalar.values && r.lines.values && r.pair
                                     ? engine_kind_parse(o->engine, &kind, err)
                                     : error_no_memory(err, "the measurements");
    if (status == COLLIDE_OK)
        status = device_open(o->device, &device, err);
    if (status == COLLIDE_OK)
        status = kernel_case_create(&shape, o->seed, &c, err);
    if (status == COLLIDE_OK)
        status = measure(device, kind, c, o->repeats, &r, err);
    if (status == COLLIDE_OK)
        status = print_results(o, &r, c, device_info(device)->name, err);
    kernel_case_destroy(c);
    device_close(device);
    free(r.kernel.values);
    free(r.scalar.values);
    free(r.lines.values);
    free(r.pair);
    return status;
}

static enum collide_status options_check(const struct options *o, struct collide_error *err)
{
    /* The device counts lookups in 32 bits. */
    if (o->n_bags * o->bag > UINT32_MAX)
        return error_set(err, COLLIDE_INVALID, "--bags times --bag is above %u", UINT32_MAX);
    return COLLIDE_OK;
}

static int report_failure(int exit_status, const struct collide_error *err)
{
    log_error("%s", err->text);
    return exit_status;
}

int bench_kernel(int argc, char **argv)
{
    static const char *const precisions[] = {"f32", "f16", "i8", NULL};
    struct options o = {.n_ids = 4000000,
                        .dim = 64,
                        .bag = 32,
                        .n_bags = 32768,
                        .repeats = 9,
                        .seed = 1,
                        .precision = PRECISION_I8};
    const struct arg table[] = {
        {.name = "precision",
         .type = ARG_CHOICE,
         .target = &o.precision,
         .choices = precisions,
         .help = "of the rows"},
        {.name = "ids", .type = ARG_U64, .target = &o.n_ids, .min = 1, .max = UINT32_MAX - 1, .help = "ids"},
        {.name = "rows",
         .type = ARG_U64,
         .target = &o.n_rows,
         .max = UINT32_MAX - 1,
         .default_text = "one an id",
         .help = "rows behind them"},
        {.name = "dim",
         .type = ARG_U64,
         .target = &o.dim,
         .min = 1,
         .max = MODEL_MAX_DIM,
         .help = "values a row"},
        {.name = "bag", .type = ARG_U64, .target = &o.bag, .min = 1, .max = 65536, .help = "ids a bag"},
        {.name = "bags",
         .type = ARG_U64,
         .target = &o.n_bags,
         .min = 1,
         .max = 1 << 20,
         .help = "bags a launch"},
        {.name = "repeats",
         .type = ARG_U64,
         .target = &o.repeats,
         .min = 1,
         .max = 10000,
         .help = "runs of each side, in turn; the median counts"},
        {.name = "seed", .type = ARG_U64, .target = &o.seed, .help = "of tables and ids"},
        {.name = "device",
         .type = ARG_TEXT,
         .target = &o.device,
         .value_name = "DEVICE",
         .default_text = "the best one",
         .help = "see `collide devices`"},
        {.name = "engine",
         .type = ARG_TEXT,
         .target = &o.engine,
         .value_name = "ENGINE",
         .default_text = "auto",
         .help = "auto, direct or queued"},
        {.name = "json", .type = ARG_FLAG, .target = &o.json, .help = "print one JSON document"},
    };
    enum { N_ARGS = sizeof table / sizeof table[0] };
    struct args_positionals none = {.max = 0};
    struct collide_error err = {0};
    switch (args_parse(table, N_ARGS, argc, argv, &none, &err)) {
    case ARGS_HELP:
        args_print_help(stdout, "collide-bench kernel [options]",
                        "Times remap + embedding-bag on a device beside the same work in plain scalar C.",
                        table, N_ARGS);
        return BENCH_OK;
    case ARGS_BAD:
        return report_failure(BENCH_USAGE, &err);
    case ARGS_OK:
        break;
    }
    if (options_check(&o, &err) != COLLIDE_OK)
        return report_failure(BENCH_USAGE, &err);
    return run(&o, &err) == COLLIDE_OK ? BENCH_OK : report_failure(BENCH_ERRORS, &err);
}
