/* `collide-bench topk`: the best items of all, by scoring rows once, beside scoring every item. */
#include "base/error.h"
#include "commands.h"
#include "figures.h"
#include "json.h"
#include "machine.h"
#include "rig.h"

#include <inttypes.h>
#include <stdlib.h>

struct options {
    struct rig_options rig;
    uint64_t n_ids, n_rows, dim, bag, n_queries;
};

struct results {
    struct spread topk_us, every_us; /* a query */
    const char *engine;
};

/* Every item is a candidate, in order. */
static void fill_every_item(struct kernel_case *c, const struct kernels *k, struct fill *f)
{
    kernel_score.fill(c, k, f);
    for (uint32_t id = 0; id < c->shape.n_items; id++)
        f->items[id] = id;
}

static enum collide_status measure_one(const struct kernel_descriptor *descriptor, struct kernel_case *c,
                                       struct kernels *kernels, size_t repeats, double *us,
                                       struct collide_error *err)
{
    struct kernel_run run;
    enum collide_status status = kernel_run_create(descriptor, c, kernels, &run, err);
    if (status != COLLIDE_OK)
        return status;
    status = rig_measure(&run, repeats, us, err);
    for (size_t i = 0; i < repeats; i++)
        us[i] /= 1e3 * c->shape.n_queries;
    kernel_run_destroy(&run);
    return status;
}

static enum collide_status measure(const struct rig *rig, const struct options *o, struct results *r,
                                   struct collide_error *err)
{
    struct kernel_case *c = rig->problem;
    struct kernel_descriptor every = kernel_score;
    every.fill = fill_every_item;
    struct kernels *kernels = NULL;
    size_t n = o->rig.repeats;
    double *us = calloc(2 * n, sizeof *us);
    enum collide_status status =
        us ? rig_kernels(rig, c, NULL, &kernels, err) : error_no_memory(err, "the measurements");
    if (status == COLLIDE_OK)
        status = measure_one(&kernel_topk, c, kernels, n, us, err);
    c->shape.n_items = c->shape.n_ids;
    c->shape.n_queries = 1;
    if (status == COLLIDE_OK)
        status = measure_one(&every, c, kernels, n, us + n, err);
    if (status == COLLIDE_OK)
        *r = (struct results){.topk_us = figure_spread(us, n),
                              .every_us = figure_spread(us + n, n),
                              .engine = engine_kind_name(engine_kind_of(kernels->engine))};
    kernels_destroy(kernels);
    free(us);
    return status;
}

static uint64_t rows_of(const struct options *o)
{
    return o->n_rows ? o->n_rows : o->n_ids;
}

static enum collide_status print(const struct results *r, const struct options *o, const char *device,
                                 struct collide_error *err)
{
    struct machine machine = machine_describe();
    if (!o->rig.json) {
        printf("top-%d of %" PRIu64 " items in %" PRIu64 " rows x %" PRIu64 " i8, %" PRIu64
               " queries a launch\n",
               KERNEL_TOPK_K, o->n_ids, rows_of(o), o->dim, o->n_queries);
        printf("%s, %s engine; %s, %u CPUs, %s\n\n", device, r->engine, machine.cpu, machine.n_cpus,
               machine.kernel);
        printf("top-k:              %10.1f us a query (%.1f .. %.1f)\n", r->topk_us.median, r->topk_us.min,
               r->topk_us.max);
        printf("scoring every item: %10.1f us a query (%.1f .. %.1f), %.1fx\n", r->every_us.median,
               r->every_us.min, r->every_us.max, r->every_us.median / r->topk_us.median);
        return COLLIDE_OK;
    }
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "cpu", machine.cpu);
    cJSON_AddStringToObject(document, "device", device);
    cJSON_AddStringToObject(document, "engine", r->engine);
    cJSON_AddNumberToObject(document, "ids", (double)o->n_ids);
    cJSON_AddNumberToObject(document, "rows", (double)rows_of(o));
    cJSON_AddNumberToObject(document, "topk_us", r->topk_us.median);
    cJSON_AddNumberToObject(document, "every_item_us", r->every_us.median);
    return json_print(stdout, document, err);
}

static enum collide_status run(const void *options, struct collide_error *err)
{
    const struct options *o = options;
    const struct kernel_shape shape = {.n_ids = (uint32_t)o->n_ids,
                                       .n_rows = (uint32_t)rows_of(o),
                                       .dim = (uint32_t)o->dim,
                                       .bag = (uint32_t)o->bag,
                                       .n_queries = (uint32_t)o->n_queries,
                                       .form = ROWS_I8,
                                       .biased = true};
    struct results r;
    struct rig rig;
    enum collide_status status = rig_open(&o->rig, &shape, &rig, err);
    if (status == COLLIDE_OK)
        status = measure(&rig, o, &r, err);
    if (status == COLLIDE_OK)
        status = print(&r, o, device_info(rig.device)->name, err);
    rig_close(&rig);
    return status;
}

int bench_topk(int argc, char **argv)
{
    struct options o = {.rig = {.repeats = 9, .seed = 1},
                        .n_ids = 1000000,
                        .n_rows = 20000,
                        .dim = 64,
                        .bag = 32,
                        .n_queries = 1};
    const struct arg table[] = {
        ids_arg(&o.n_ids),
        rows_arg(&o.n_rows),
        dim_arg(&o.dim),
        bag_arg(&o.bag),
        {.name = "queries",
         .type = ARG_U64,
         .target = &o.n_queries,
         .min = 1,
         .max = 4096,
         .help = "in one launch"},
        RIG_ARGS(&o.rig),
    };
    const struct bench_usage usage = {"collide-bench topk [options]",
                                      "Times finding the best of all items beside scoring every item.", table,
                                      sizeof table / sizeof table[0]};
    return bench_main(&usage, argc, argv, run, &o);
}
