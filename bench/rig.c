#include "rig.h"

#include "base/log.h"
#include "commands.h"

enum collide_status rig_open(const struct rig_options *options, struct rig *out, struct collide_error *err)
{
    *out = (struct rig){.device = NULL};
    enum collide_status status = engine_kind_parse(options->engine, &out->engine, err);
    return status == COLLIDE_OK ? device_open(options->device, &out->device, err) : status;
}

void rig_close(struct rig *r)
{
    device_close(r->device);
}

enum collide_status rig_kernels(const struct rig *r, const struct kernel_case *c, const struct tuning *tuning,
                                struct kernels **out, struct collide_error *err)
{
    const struct kernels_options options = {
        .engine = r->engine, .tuning = tuning, .memory.policy = TABLES_IN_PLACE};
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

bool bench_parse(const struct bench_usage *usage, int argc, char **argv, int *exit_code)
{
    struct args_positionals none = {.max = 0};
    struct collide_error err = {0};
    switch (args_parse(usage->table, usage->n, argc, argv, &none, &err)) {
    case ARGS_OK:
        return true;
    case ARGS_HELP:
        args_print_help(stdout, usage->synopsis, usage->summary, usage->table, usage->n);
        *exit_code = BENCH_OK;
        return false;
    case ARGS_BAD:
        break;
    }
    *exit_code = bench_fail(BENCH_USAGE, &err);
    return false;
}

int bench_fail(int exit_code, const struct collide_error *err)
{
    log_error("%s", err->text);
    return exit_code;
}
