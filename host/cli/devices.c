#include "base/clock.h"
#include "base/error.h"
#include "base/histogram.h"
#include "cli/command.h"
#include "device/engine.h"

#include <stdio.h>
#include <stdlib.h>

static const char EMPTY_KERNEL[] = "__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void "
                                   "empty(__global const int *t, __global int *r)\n"
                                   "{ r[0] = t[0]; }\n";

enum { N_LAUNCHES = 2000, N_WARM_UP = 200 };

/* Submits an empty kernel again and again through an engine. */
static enum collide_status time_launches(struct engine *engine, struct histogram *out,
                                         struct collide_error *err)
{
    struct engine_lane *lane = NULL;
    const struct engine_work work = {
        .steps = {{.kernel = 0, .n_groups = 1}}, .n_steps = 1, .used_bytes = {sizeof(int)}};
    enum collide_status status = engine_lane_create(engine, (size_t[]){sizeof(int)}, &lane, err);
    for (int i = 0; i < N_WARM_UP + N_LAUNCHES && status == COLLIDE_OK; i++) {
        uint64_t start = clock_now_ns();
        status = engine_submit(lane, 0, &work, err);
        if (status == COLLIDE_OK)
            status = engine_wait(lane, 0, err);
        if (i >= N_WARM_UP)
            histogram_record(out, clock_now_ns() - start);
    }
    engine_lane_destroy(lane);
    return status;
}

static enum collide_status measure_launch(struct device *device, enum engine_kind *kind,
                                          struct histogram *out, struct collide_error *err)
{
    const struct program_source source = {
        .text = EMPTY_KERNEL, .n_bytes = sizeof EMPTY_KERNEL - 1, .options = "-cl-std=CL1.2"};
    const struct table_source nothing = {.name = "no table", .entry_bytes = sizeof(int)};
    const struct table_plan plan = {.placement = PLACED_COPIED, .n_banks = 1};
    struct engine_spec spec = {.device = device,
                               .kernels = {"empty"},
                               .local_sizes = {1},
                               .n_kernels = 1,
                               .n_tables = 1,
                               .directions = {REGION_OUT},
                               .n_regions = 1};
    struct program *program = NULL;
    struct device_table *table = NULL;
    struct engine *engine = NULL;
    enum collide_status status = program_build(device, &source, NULL, &program, err);
    if (status == COLLIDE_OK)
        status = table_place(device, &nothing, &plan, NULL, &table, err);
    spec.program = program;
    spec.tables[0] = table;
    if (status == COLLIDE_OK)
        status = engine_create(ENGINE_AUTO, &spec, &engine, err);
    if (status == COLLIDE_OK) {
        *kind = engine_kind_of(engine);
        status = time_launches(engine, out, err);
    }
    if (status == COLLIDE_OK)
        program_keep(program);
    engine_destroy(engine);
    table_destroy(table);
    program_destroy(program);
    return status;
}

static const char *yes_no(bool value)
{
    return value ? "yes" : "no";
}

static void print_engines(const struct device_info *d)
{
    const char *separator = "";
    printf("   engines           ");
    for (enum engine_kind kind = ENGINE_CALL; kind <= ENGINE_RING; kind++) {
        struct collide_error lacking;
        if (engine_check_device(kind, d, &lacking) != COLLIDE_OK)
            continue;
        printf("%s%s", separator, engine_kind_name(kind));
        separator = ", ";
    }
    printf("\n");
}

static void print_facts(const struct device_info *d, unsigned index)
{
    printf("%u  %s\n", index, d->name);
    printf("   platform          %s, driver %s, %s\n", d->platform, d->driver, d->version);
    printf("   type              %s, %u compute units, work-groups of at most %u\n",
           device_type_name(d->type), d->n_compute_units, d->max_work_group_size);
    printf("   memory            %.2f GiB, banks of at most %.2f GiB, aligned to %u bytes\n",
           (double)d->memory_bytes / 0x1p30, (double)d->max_alloc_bytes / 0x1p30, d->align_bytes);
    printf("   constant memory   %.0f KiB, in at most %u tables\n", (double)d->constant_bytes / 1024,
           d->n_constant_args);
    printf("   cache / local     %.0f KiB / %.0f KiB\n", (double)d->cache_bytes / 1024,
           (double)d->local_bytes / 1024);
    printf("   shares memory     %s (fine-grained: %s, atomics: %s)\n", yes_no(d->unified_memory),
           yes_no(d->fine_grain_svm), yes_no(d->svm_atomics));
    print_engines(d);
    printf("   runs in caller    %s\n", yes_no(d->runs_in_caller));
    printf("   compiler          %s\n", yes_no(d->has_compiler));
}

static enum collide_status print_launch(unsigned index, struct collide_error *err)
{
    char selector[16];
    struct device *device = NULL;
    enum engine_kind kind = ENGINE_AUTO;
    struct histogram *latency = calloc(1, sizeof *latency);
    snprintf(selector, sizeof selector, "%u", index);
    enum collide_status status =
        latency ? device_open(selector, &device, err) : error_no_memory(err, "the latencies");
    if (status == COLLIDE_OK)
        status = measure_launch(device, &kind, latency, err);
    if (status == COLLIDE_OK)
        printf("   launch to result  %s engine: %.2f us p50, %.2f us p99\n", engine_kind_name(kind),
               (double)histogram_quantile(latency, 0.5) / 1e3,
               (double)histogram_quantile(latency, 0.99) / 1e3);
    device_close(device);
    free(latency);
    return status;
}

int command_devices(int argc, char **argv)
{
    struct usage usage = {
        "collide devices",
        "Lists every OpenCL device, what the engines need to know of it, and its launch latency.", NULL, 0,
        .positionals = {.max = 0}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    struct collide_error err = {0};
    struct platform_list *list = malloc(sizeof *list);
    enum collide_status status =
        list ? platform_list_devices(list, &err) : error_no_memory(&err, "the device list");
    for (unsigned i = 0; status == COLLIDE_OK && i < list->n_devices; i++) {
        print_facts(&list->devices[i], i);
        struct collide_error detail = {0};
        if (print_launch(i, &detail) != COLLIDE_OK) /* the others are still worth listing */
            printf("   launch to result  not measured: %s\n", detail.text);
    }
    free(list);
    return status == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
