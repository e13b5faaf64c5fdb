/* `collide-bench launch`: what it costs to hand work to a device and have its result. */
#include "base/error.h"
#include "base/histogram.h"
#include "commands.h"
#include "figures.h"
#include "json.h"
#include "lanes.h"
#include "machine.h"
#include "rig.h"

#include <stdlib.h>

enum { N_LAUNCHES = 20000, N_WARM_UP = 1000, MANY_PAIRS = 1024, MANY_LAUNCHES = 500 };

struct options {
    struct rig_options rig;
    uint64_t n_ids, dim, n_lanes;
};

struct results {
    double pair_p50_us, pair_p99_us;
    struct spread many_us;             /* a launch of 1,024 pairs */
    struct spread nothing_us;          /* a launch with nothing to do; the rest is the kernel's time */
    struct spread one_lane, all_lanes; /* bags per us */
    const char *engine;
};

static struct kernel_shape pairs(const struct options *o, uint32_t n)
{
    return (struct kernel_shape){.n_ids = (uint32_t)o->n_ids,
                                 .n_rows = (uint32_t)o->n_ids,
                                 .dim = (uint32_t)o->dim,
                                 .bag = 1,
                                 .n_items = 1,
                                 .n_queries = n,
                                 .form = ROWS_I8,
                                 .biased = true};
}

static enum collide_status measure_pairs(struct kernel_case *c, struct kernels *kernels, struct results *r,
                                         struct collide_error *err)
{
    struct kernel_run run;
    struct histogram *h = calloc(1, sizeof *h);
    c->shape.n_queries = 1;
    enum collide_status status = h ? kernel_run_create(&kernel_score, c, kernels, &run, err)
                                   : error_no_memory(err, "the measurements");
    for (int i = 0; i < N_WARM_UP + N_LAUNCHES && status == COLLIDE_OK; i++) {
        double ns;
        kernel_run_fill(&run);
        status = kernel_run_batch(&run, &ns, err);
        if (i >= N_WARM_UP)
            histogram_record(h, (uint64_t)ns);
    }
    if (h)
        kernel_run_destroy(&run);
    if (status == COLLIDE_OK) {
        r->pair_p50_us = (double)histogram_quantile(h, 0.5) / 1e3;
        r->pair_p99_us = (double)histogram_quantile(h, 0.99) / 1e3;
    }
    free(h);
    return status;
}

/* What a launch costs that has nothing to do. */
static void fill_nothing(struct kernel_case *c, const struct kernels *k, struct fill *f)
{
    (void)c;
    (void)k;
    f->queries[0] = (device_query){0};
    f->used = (struct fill_capacity){.n_queries = 1};
}

/* us a launch. */
static enum collide_status measure_launches(const struct kernel_descriptor *descriptor, struct kernel_case *c,
                                            struct kernels *kernels, size_t n, double *us,
                                            struct collide_error *err)
{
    struct kernel_run run;
    enum collide_status status = kernel_run_create(descriptor, c, kernels, &run, err);
    if (status != COLLIDE_OK)
        return status;
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
        kernel_run_fill(&run);
        status = kernel_run_batch(&run, &us[i], err);
        us[i] /= 1e3;
    }
    kernel_run_destroy(&run);
    return status;
}

static enum collide_status measure_many(struct kernel_case *c, struct kernels *kernels, struct results *r,
                                        struct collide_error *err)
{
    struct kernel_descriptor nothing = kernel_score;
    nothing.fill = fill_nothing;
    double *us = calloc(2 * MANY_LAUNCHES, sizeof *us);
    c->shape.n_queries = MANY_PAIRS;
    enum collide_status status = us ? measure_launches(&kernel_score, c, kernels, MANY_LAUNCHES, us, err)
                                    : error_no_memory(err, "the measurements");
    if (status == COLLIDE_OK)
        status = measure_launches(&nothing, c, kernels, MANY_LAUNCHES, us + MANY_LAUNCHES, err);
    if (status == COLLIDE_OK) {
        r->many_us = figure_spread(us, MANY_LAUNCHES);
        r->nothing_us = figure_spread(us + MANY_LAUNCHES, MANY_LAUNCHES);
    }
    free(us);
    return status;
}

static enum collide_status measure_scaling(struct kernel_case *c, struct kernels *kernels,
                                           const struct options *o, struct results *r,
                                           struct collide_error *err)
{
    size_t n = o->rig.repeats;
    double *rates = calloc(2 * n, sizeof *rates);
    enum collide_status status = rates ? COLLIDE_OK : error_no_memory(err, "the measurements");
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
        status = lanes_measure(c, kernels, 1, &rates[i], err);
        if (status == COLLIDE_OK)
            status = lanes_measure(c, kernels, (unsigned)o->n_lanes, &rates[n + i], err);
    }
    if (status == COLLIDE_OK) {
        r->one_lane = figure_spread(rates, n);
        r->all_lanes = figure_spread(rates + n, n);
    }
    free(rates);
    return status;
}

static void print_text(const struct results *r, const struct options *o, const char *device)
{
    struct machine machine = machine_describe();
    printf("%s, %s engine; %s, %u CPUs, %s\n\n", device, r->engine, machine.cpu, machine.n_cpus,
           machine.kernel);
    printf("one pair, submit to result:   %8.2f us p50, %.2f us p99\n", r->pair_p50_us, r->pair_p99_us);
    printf("1,024 pairs, submit to result:%8.2f us, an empty launch %.2f us: %.3fx the kernel alone\n",
           r->many_us.median, r->nothing_us.median,
           r->many_us.median / (r->many_us.median - r->nothing_us.median));
    printf("%d bags of %d a launch:       %8.2f bags/us by one lane, %.2f by %u: %.2fx\n", LANE_QUERIES,
           LANE_BAG, r->one_lane.median, r->all_lanes.median, (unsigned)o->n_lanes,
           r->all_lanes.median / r->one_lane.median);
}

static enum collide_status print_json(const struct results *r, const struct options *o, const char *device,
                                      struct collide_error *err)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "cpu", machine_describe().cpu);
    cJSON_AddStringToObject(document, "device", device);
    cJSON_AddStringToObject(document, "engine", r->engine);
    cJSON_AddNumberToObject(document, "pair_p50_us", r->pair_p50_us);
    cJSON_AddNumberToObject(document, "pair_p99_us", r->pair_p99_us);
    cJSON_AddNumberToObject(document, "pairs_1024_us", r->many_us.median);
    cJSON_AddNumberToObject(document, "empty_launch_us", r->nothing_us.median);
    cJSON_AddNumberToObject(document, "lanes", (double)o->n_lanes);
    cJSON_AddNumberToObject(document, "bags_per_us_one_lane", r->one_lane.median);
    cJSON_AddNumberToObject(document, "bags_per_us", r->all_lanes.median);
    return json_print(stdout, document, err);
}

static enum collide_status run(const void *options, struct collide_error *err)
{
    const struct options *o = options;
    struct kernel_shape shape = pairs(o, MANY_PAIRS);
    struct kernels *kernels = NULL;
    struct results r = {.engine = NULL};
    struct rig rig;
    enum collide_status status = rig_open(&o->rig, &shape, &rig, err);
    if (status == COLLIDE_OK)
        status = rig_kernels(&rig, rig.problem, NULL, &kernels, err);
    if (status == COLLIDE_OK)
        status = measure_pairs(rig.problem, kernels, &r, err);
    if (status == COLLIDE_OK)
        status = measure_many(rig.problem, kernels, &r, err);
    if (status == COLLIDE_OK)
        status = measure_scaling(rig.problem, kernels, o, &r, err);
    if (status == COLLIDE_OK) {
        r.engine = engine_kind_name(engine_kind_of(kernels->engine));
        const char *device = device_info(rig.device)->name;
        if (o->rig.json)
            status = print_json(&r, o, device, err);
        else
            print_text(&r, o, device);
    }
    kernels_destroy(kernels);
    rig_close(&rig);
    return status;
}

int bench_launch(int argc, char **argv)
{
    struct options o = {.rig = {.repeats = 9, .seed = 1}, .n_ids = 4000000, .dim = 64, .n_lanes = 2};
    const struct arg table[] = {
        ids_arg(&o.n_ids),
        dim_arg(&o.dim),
        {.name = "lanes",
         .type = ARG_U64,
         .target = &o.n_lanes,
         .min = 1,
         .max = MAX_LANES,
         .help = "threads with a lane each, against one"},
        RIG_ARGS(&o.rig),
    };
    const struct bench_usage usage = {
        "collide-bench launch [options]",
        "Times the way to a device and back: one pair, 1,024 pairs, several lanes.", table,
        sizeof table / sizeof table[0]};
    return bench_main(&usage, argc, argv, run, &o);
}
