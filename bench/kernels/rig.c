#include "rig.h"

#include "base/log.h"
#include "commands.h"

struct arg ids_arg(uint64_t *ids)
{
    return (struct arg){.name = "ids",
                        .type = ARG_U64,
                        .target = ids,
                        .min = 1,
                        .max = UINT32_MAX / 2,
                        .help = "ids of items"};
}

struct arg rows_arg(uint64_t *rows)
{
    return (struct arg){.name = "rows",
                        .type = ARG_U64,
                        .target = rows,
                        .max = UINT32_MAX - 1,
                        .default_text = *rows ? NULL : "one an id",
                        .help = "rows that the ids share"};
}

struct arg dim_arg(uint64_t *dim)
{
    return (struct arg){.name = "dim",
                        .type = ARG_U64,
                        .target = dim,
                        .min = 1,
                        .max = MODEL_MAX_DIM,
                        .help = "values a row"};
}

struct arg bag_arg(uint64_t *bag)
{
    return (struct arg){
        .name = "bag", .type = ARG_U64, .target = bag, .min = 1, .max = 1 << 19, .help = "ids a bag"};
}

enum collide_status rig_open(const struct rig_options *options, const struct kernel_shape *shape,
                             struct rig *out, struct collide_error *err)
{
    *out = (struct rig){.device = NULL};
    enum collide_status status = engine_kind_parse(options->engine, &out->engine, err);
    if (status == COLLIDE_OK)
        status = device_open(options->device, &out->device, err);
    if (status == COLLIDE_OK && shape)
        status = kernel_case_create(shape, options->seed, &out->problem, err);
    return status;
}

void rig_close(struct rig *r)
{
    kernel_case_destroy(r->problem);
    device_close(r->device);
}

enum collide_status rig_kernels(const struct rig *r, const struct kernel_case *c, const struct tuning *tuning,
                                struct kernels **out, struct collide_error *err)
{
    const struct kernels_options options = {.engine = r->engine, .tuning = tuning};
    return kernels_create(r->device, &c->model, &options, out, err);
}

enum collide_status rig_measure(struct kernel_run *run, size_t repeats, double *ns, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    double warm_up;
    for (size_t i = 0; i <= repeats && status == COLLIDE_OK; i++) {
        kernel_run_fill(run);
        status = kernel_run_batch(run, i ? &ns[i - 1] : &warm_up, err);
    }
    return status == COLLIDE_OK ? kernel_run_check(run, 16, err) : status;
}

static int fail(enum exit_code code, const struct collide_error *err)
{
    log_error("%s", err->text);
    return (int)code;
}

int bench_main(const struct bench_usage *usage, int argc, char **argv,
               enum collide_status (*run)(const void *options, struct collide_error *err),
               const void *options)
{
    struct args args = {.table = usage->table, .n = usage->n};
    struct args_positionals none = {.max = 0};
    struct collide_error err = {0};
    switch (args_parse(&args, argc, argv, &none, &err)) {
    case ARGS_OK:
        break;
    case ARGS_HELP:
        args_print_help(stdout, usage->synopsis, usage->summary, &args);
        return EXIT_DONE;
    case ARGS_BAD:
        return fail(EXIT_USAGE, &err);
    }
    enum collide_status status = run(options, &err);
    return status == COLLIDE_OK ? EXIT_DONE
                                : fail(status == COLLIDE_INVALID ? EXIT_USAGE : EXIT_FAILED, &err);
}
