/* `collide-bench kernel`: remap + embedding-bag on a device, beside the same work in plain scalar C and
 * beside the machine's random lines, in one run. */
#include "base/clock.h"
#include "base/error.h"
#include "commands.h"
#include "device_copy.h"
#include "figures.h"
#include "json.h"
#include "kernel_compare.h"
#include "kernel_scalar.h"
#include "machine.h"
#include "random_lines.h"
#include "rig.h"

#include <inttypes.h>
#include <stdlib.h>

struct options {
    struct rig_options rig;
    uint64_t n_ids, n_rows, dim, bag, n_bags;
    int form, distribution;
    bool packed, compare;
};

/* ns a lookup, or a line. */
struct results {
    struct spread kernel, scalar, lines;
    double lookup_lines, lookup_bytes;
    double copy_gb_per_s; /* of the device's memory */
    bool is_cpu;          /* the machine's random lines are the device's */
    const char *engine, *form;
};

enum { LINES_BYTES = 512 << 20, LINES_DRAWN = 1 << 20, COPIED_BYTES = 256 << 20 };

static enum collide_status measure_scalar(struct kernel_run *run, double *ns, struct collide_error *err)
{
    const struct kernel_shape *s = &run->problem->shape;
    float *out = malloc((size_t)s->n_queries * s->dim * sizeof *out);
    if (!out)
        return error_no_memory(err, "the scalar results");
    kernel_run_fill(run); /* others, since the kernel has just brought its own into the caches */
    uint64_t start = clock_now_ns();
    kernel_scalar_bags(run->problem, run->fill.history, out);
    *ns = clock_seconds_since(start) * 1e9;
    free(out);
    return COLLIDE_OK;
}

/* Kernel, scalar C and lines take turns, so that all of them meet the same neighbours. */
static enum collide_status measure_turns(struct kernel_run *run, size_t repeats, double *samples,
                                         struct collide_error *err)
{
    double n_lookups = (double)run->descriptor->n_lookups(&run->problem->shape);
    struct random_lines *lines = NULL;
    enum collide_status status = random_lines_create(LINES_BYTES, &lines, err);
    for (size_t i = 0; i < repeats && status == COLLIDE_OK; i++) {
        double ns;
        status = rig_measure(run, 1, &ns, err);
        samples[i] = ns / n_lookups;
        if (status == COLLIDE_OK && !run->problem->shape.packed)
            status = measure_scalar(run, &ns, err);
        samples[repeats + i] = ns / n_lookups;
        samples[2 * repeats + i] = random_lines_measure(lines, LINES_DRAWN);
    }
    random_lines_destroy(lines);
    return status;
}

static enum collide_status measure(const struct rig *rig, struct kernel_case *c, size_t repeats,
                                   struct results *r, struct collide_error *err)
{
    struct kernels *kernels = NULL;
    struct kernel_run run = {.kernels = NULL};
    double *samples = calloc(3 * repeats, sizeof *samples);
    enum collide_status status =
        samples ? rig_kernels(rig, c, NULL, &kernels, err) : error_no_memory(err, "the measurements");
    if (status == COLLIDE_OK)
        status = kernel_run_create(&kernel_bag, c, kernels, &run, err);
    if (status == COLLIDE_OK)
        status = measure_turns(&run, repeats, samples, err);
    double copy_gb_per_s = 0;
    if (status == COLLIDE_OK)
        status = device_copy_measure(rig->device, COPIED_BYTES, &copy_gb_per_s, err);
    if (status == COLLIDE_OK)
        *r = (struct results){.copy_gb_per_s = copy_gb_per_s,
                              .is_cpu = device_info(rig->device)->type & CL_DEVICE_TYPE_CPU,
                              .kernel = figure_spread(samples, repeats),
                              .scalar = figure_spread(samples + repeats, repeats),
                              .lines = figure_spread(samples + 2 * repeats, repeats),
                              .lookup_lines = kernel_case_lookup_lines(c),
                              .lookup_bytes = kernel_case_lookup_bytes(c),
                              .engine = engine_kind_name(engine_kind_of(kernels->engine)),
                              .form = kernel_form_name(kernels->tuning.form)};
    kernel_run_destroy(&run);
    kernels_destroy(kernels);
    free(samples);
    return status;
}

static void print_side(const char *name, const struct spread *s, double n_bytes)
{
    printf("%-14s %12.1f %9.1f .. %6.1f %10.2f\n", name, s->median, s->min, s->max, n_bytes / s->median);
}

static void print_text(const struct results *r, const struct kernel_shape *s, const char *device)
{
    struct machine machine = machine_describe();
    printf("remap + bag: %" PRIu32 " ids -> %" PRIu32 " rows x %" PRIu32 " %s, bags of %" PRIu32 ", %s\n",
           s->n_ids, s->n_rows, s->dim, row_form_name(s->form), s->bag, distribution_name(s->distribution));
    printf("%s, %s engine, %s form; %s, %u CPUs, %s\n\n", device, r->engine, r->form, machine.cpu,
           machine.n_cpus, machine.kernel);
    printf("%-14s %12s %19s %10s\n", "", "ns a lookup", "(min .. max)", "GB/s");
    print_side("kernel", &r->kernel, r->lookup_bytes);
    if (!s->packed)
        print_side("scalar C", &r->scalar, r->lookup_bytes);
    print_side("a random line", &r->lines, 64);
    if (!s->packed)
        printf("\nkernel against scalar C: %.2fx\n", r->scalar.median / r->kernel.median);
    printf("%.2f lines a lookup: ", r->lookup_lines);
    if (r->is_cpu)
        printf("%.0f%% of what this machine fetches of random lines, ",
               100 * r->lookup_lines * r->lines.median / r->kernel.median);
    printf("%.0f%% of the %.0f GB/s that the device copies\n",
           100 * r->lookup_lines * 64 / r->kernel.median / r->copy_gb_per_s, r->copy_gb_per_s);
}

static void add_side(cJSON *document, const char *name, const struct spread *s)
{
    cJSON *side = cJSON_AddObjectToObject(document, name);
    cJSON_AddNumberToObject(side, "ns", s->median);
    cJSON_AddNumberToObject(side, "min", s->min);
    cJSON_AddNumberToObject(side, "max", s->max);
}

static enum collide_status print_json(const struct results *r, const struct kernel_shape *s,
                                      const char *device, struct collide_error *err)
{
    struct machine machine = machine_describe();
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "cpu", machine.cpu);
    cJSON_AddStringToObject(document, "kernel_version", machine.kernel);
    cJSON_AddStringToObject(document, "device", device);
    cJSON_AddStringToObject(document, "engine", r->engine);
    cJSON_AddStringToObject(document, "form", r->form);
    cJSON_AddNumberToObject(document, "ids", s->n_ids);
    cJSON_AddNumberToObject(document, "rows", s->n_rows);
    cJSON_AddNumberToObject(document, "dim", s->dim);
    cJSON_AddStringToObject(document, "precision", row_form_name(s->form));
    cJSON_AddStringToObject(document, "distribution", distribution_name(s->distribution));
    cJSON_AddNumberToObject(document, "bag", s->bag);
    cJSON_AddNumberToObject(document, "bytes_per_lookup", r->lookup_bytes);
    cJSON_AddNumberToObject(document, "lines_per_lookup", r->lookup_lines);
    cJSON_AddNumberToObject(document, "copy_gb_per_s", r->copy_gb_per_s);
    add_side(document, "kernel", &r->kernel);
    if (!s->packed)
        add_side(document, "scalar", &r->scalar);
    add_side(document, "random_line", &r->lines);
    return json_print(stdout, document, err);
}

static struct kernel_shape shape_of(const struct options *o)
{
    return (struct kernel_shape){.n_ids = (uint32_t)o->n_ids,
                                 .n_rows = (uint32_t)(o->n_rows ? o->n_rows : o->n_ids),
                                 .dim = (uint32_t)o->dim,
                                 .bag = (uint32_t)o->bag,
                                 .n_queries = (uint32_t)o->n_bags,
                                 .form = (enum row_form)o->form,
                                 .distribution = (enum id_distribution)o->distribution,
                                 .packed = o->packed};
}

static enum collide_status check(const struct options *o, struct collide_error *err)
{
    /* The device counts lookups in 32 bits. */
    if (o->n_bags * o->bag > UINT32_MAX)
        return error_set(err, COLLIDE_INVALID, "--bags times --bag is above %u", UINT32_MAX);
    return row_form_check((enum row_form)o->form, (uint32_t)o->dim, err);
}

static enum collide_status run(const void *options, struct collide_error *err)
{
    const struct options *o = options;
    const struct kernel_shape shape = shape_of(o);
    struct results r;
    struct rig rig = {.device = NULL};
    enum collide_status status = check(o, err);
    if (status == COLLIDE_OK)
        status = rig_open(&o->rig, o->compare ? NULL : &shape, &rig, err);
    if (status == COLLIDE_OK && o->compare) {
        status = kernel_compare(&rig, &o->rig, err);
    } else if (status == COLLIDE_OK) {
        status = measure(&rig, rig.problem, o->rig.repeats, &r, err);
        if (status == COLLIDE_OK && o->rig.json)
            status = print_json(&r, &shape, device_info(rig.device)->name, err);
        else if (status == COLLIDE_OK)
            print_text(&r, &shape, device_info(rig.device)->name);
    }
    rig_close(&rig);
    return status;
}

int bench_kernel(int argc, char **argv)
{
    static const char *const distributions[] = {"uniform", "zipf", "zipf-shuffled", NULL};
    struct options o = {.rig = {.repeats = 9, .seed = 1},
                        .n_ids = 4000000,
                        .dim = 64,
                        .bag = 32,
                        .n_bags = 32768,
                        .form = ROWS_I8};
    const struct arg table[] = {
        {.name = "compare",
         .type = ARG_FLAG,
         .target = &o.compare,
         .help = "a table over precisions, dims, bags, ids and distributions instead of one shape"},
        {.name = "precision",
         .type = ARG_CHOICE,
         .target = &o.form,
         .choices = row_form_names,
         .help = "of the rows"},
        {.name = "distribution",
         .type = ARG_CHOICE,
         .target = &o.distribution,
         .choices = distributions,
         .help = "of the ids: uniform, or Zipf 1.05 over ids in the order of their frequency or in none"},
        {.name = "packed",
         .type = ARG_FLAG,
         .target = &o.packed,
         .help = "a mapping packed to the bits it needs"},
        ids_arg(&o.n_ids),
        rows_arg(&o.n_rows),
        dim_arg(&o.dim),
        bag_arg(&o.bag),
        {.name = "bags",
         .type = ARG_U64,
         .target = &o.n_bags,
         .min = 1,
         .max = 1 << 24,
         .help = "bags a launch"},
        RIG_ARGS(&o.rig),
    };
    const struct bench_usage usage = {
        "collide-bench kernel [options]",
        "Times remap + embedding-bag on a device beside the same work in plain scalar C "
        "and beside random lines of memory.",
        table, sizeof table / sizeof table[0]};
    return bench_main(&usage, argc, argv, run, &o);
}
