/* `collide-bench tune`: measures the kernels' forms and parameters on the device at hand and keeps the best
 * with the built kernels, where scoring finds it. */
#include "base/error.h"
#include "commands.h"
#include "figures.h"
#include "rig.h"

#include <inttypes.h>
#include <stdlib.h>

struct options {
    struct rig_options rig;
    uint64_t n_ids, n_rows, dim, bag;
    const char *cache_dir;
    int form;
    bool dry_run;
};

enum { MAX_CANDIDATES = 64, LOOKUPS = 1 << 19 };

/* What is worth a try: on CPUs how far to ask ahead, elsewhere how many work-items share a query. */
static size_t list_candidates(const struct device_info *device, struct tuning *out)
{
    static const unsigned row_aheads[] = {4, 8, 12, 16, 24, 32}, ratios[] = {2, 3},
                          groups[] = {32, 64, 128, 256};
    const struct tuning base = tuning_default(device);
    bool is_cpu = device->type & CL_DEVICE_TYPE_CPU;
    size_t n = 0;
    for (size_t i = 0; i < sizeof row_aheads / sizeof row_aheads[0] && is_cpu; i++)
        for (size_t j = 0; j < sizeof ratios / sizeof ratios[0]; j++) {
            out[n] = base;
            out[n].row_ahead = row_aheads[i];
            out[n++].remap_ahead = row_aheads[i] * ratios[j];
        }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (groups[i] <= device->max_work_group_size && !is_cpu) {
            out[n] = base;
            out[n].form = FORM_GROUP;
            out[n++].group_size = groups[i];
        }
    for (enum kernel_form form = FORM_ITEM; form <= FORM_PIPELINE; form++) {
        out[n] = base;
        out[n].prefetch = 0;
        out[n++].form = form;
    }
    return n;
}

/* ns a lookup, the smallest of all repeats: what disturbs a measurement only adds to it. */
struct timing {
    double bag_ns, score_ns;
};

static double mean_ns(const struct timing *t)
{
    return (t->bag_ns + t->score_ns) / 2;
}

static enum collide_status measure_kernel(const struct kernel_descriptor *descriptor, struct kernel_case *c,
                                          struct kernels *kernels, size_t repeats, double *least_ns,
                                          struct collide_error *err)
{
    struct kernel_run run = {.kernels = NULL};
    double *ns = calloc(repeats, sizeof *ns);
    enum collide_status status =
        ns ? kernel_run_create(descriptor, c, kernels, &run, err) : error_no_memory(err, "the measurements");
    if (status == COLLIDE_OK)
        status = rig_measure(&run, repeats, ns, err);
    if (status == COLLIDE_OK)
        *least_ns = figure_spread(ns, repeats).min / (double)descriptor->n_lookups(&c->shape);
    kernel_run_destroy(&run);
    free(ns);
    return status;
}

static enum collide_status measure(const struct rig *rig, struct kernel_case *c, const struct tuning *tuning,
                                   size_t repeats, struct timing *out, struct collide_error *err)
{
    struct kernels *kernels = NULL;
    enum collide_status status = rig_kernels(rig, c, tuning, &kernels, err);
    if (status == COLLIDE_OK)
        status = measure_kernel(&kernel_bag, c, kernels, repeats, &out->bag_ns, err);
    if (status == COLLIDE_OK)
        status = measure_kernel(&kernel_score, c, kernels, repeats, &out->score_ns, err);
    kernels_destroy(kernels);
    return status;
}

static void print_candidate(const struct tuning *t)
{
    printf("%-8s %6u %9u %10u %12u ", kernel_form_name(t->form), t->form == FORM_GROUP ? t->group_size : 1,
           t->prefetch, t->prefetch ? t->row_ahead : 0, t->prefetch ? t->remap_ahead : 0);
    fflush(stdout);
}

/* A form that a device does not take is not the best one. */
static enum collide_status tune(const struct rig *rig, const struct options *o, struct collide_error *err)
{
    struct kernel_case *c = rig->problem;
    struct tuning candidates[MAX_CANDIDATES];
    const struct tuning *best = NULL;
    double best_ns = 0;
    enum collide_status status = COLLIDE_OK;
    size_t n = list_candidates(device_info(rig->device), candidates);
    printf("%-8s %6s %9s %10s %12s %8s %8s %8s\n", "form", "group", "prefetch", "row ahead", "remap ahead",
           "bag ns", "score ns", "mean");
    for (size_t i = 0; i < n; i++) {
        struct timing t;
        print_candidate(&candidates[i]);
        status = measure(rig, c, &candidates[i], o->rig.repeats, &t, err);
        if (status != COLLIDE_OK) {
            printf("failed: %s\n", err->text);
            continue;
        }
        printf("%8.2f %8.2f %8.2f\n", t.bag_ns, t.score_ns, mean_ns(&t));
        if (!best || mean_ns(&t) < best_ns) {
            best = &candidates[i];
            best_ns = mean_ns(&t);
        }
    }
    if (!best)
        return status;
    printf("\nbest: %s form, row ahead %u, remap ahead %u: %.1f ns a lookup%s\n",
           kernel_form_name(best->form), best->row_ahead, best->remap_ahead, best_ns,
           o->dry_run ? "" : "; kept for this device");
    return o->dry_run ? COLLIDE_OK
                      : tuning_store(o->cache_dir, device_info(rig->device), &c->model, best, err);
}

static enum collide_status run(const void *options, struct collide_error *err)
{
    const struct options *o = options;
    const struct kernel_shape shape = {.n_ids = (uint32_t)o->n_ids,
                                       .n_rows = (uint32_t)(o->n_rows ? o->n_rows : o->n_ids),
                                       .dim = (uint32_t)o->dim,
                                       .bag = (uint32_t)o->bag,
                                       .n_items = (uint32_t)o->bag,
                                       .n_queries = (uint32_t)(LOOKUPS / o->bag),
                                       .form = (enum row_form)o->form};
    struct rig rig;
    enum collide_status status = rig_open(&o->rig, &shape, &rig, err);
    if (status == COLLIDE_OK)
        status = tune(&rig, o, err);
    rig_close(&rig);
    return status;
}

int bench_tune(int argc, char **argv)
{
    struct options o = {
        .rig = {.repeats = 5, .seed = 1}, .n_ids = 4000000, .dim = 64, .bag = 32, .form = ROWS_I8};
    const struct arg table[] = {
        {.name = "precision",
         .type = ARG_CHOICE,
         .target = &o.form,
         .choices = row_form_names,
         .help = "of the rows; with --dim what models the choice is for"},
        dim_arg(&o.dim),
        ids_arg(&o.n_ids),
        rows_arg(&o.n_rows),
        bag_arg(&o.bag),
        {.name = "kernel-cache",
         .type = ARG_TEXT,
         .target = &o.cache_dir,
         .value_name = "DIR",
         .default_text = "~/.cache/collide",
         .help = "where the choice is kept"},
        {.name = "dry-run", .type = ARG_FLAG, .target = &o.dry_run, .help = "measure, but keep nothing"},
        RIG_ARGS(&o.rig),
    };
    const struct bench_usage usage = {
        "collide-bench tune [options]",
        "Finds the kernels' best form and parameters for a device, and keeps them.", table,
        sizeof table / sizeof table[0]};
    return bench_main(&usage, argc, argv, run, &o);
}
