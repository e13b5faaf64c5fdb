#include "kernel_compare.h"

#include "base/error.h"
#include "figures.h"
#include "json.h"
#include "machine.h"
#include "random_lines.h"

#include <inttypes.h>
#include <stdio.h>

static const uint32_t DIMS[] = {16, 32, 64, 128}, BAGS[] = {1, 8, 32, 100},
                      IDS[] = {100000, 4000000, 50000000};
enum { N_DIMS = 4, N_BAGS = 4, N_IDS = 3 };

/* Compressed tables do not grow with their ids without end. */
enum { MAX_ROWS = 4000000 };

/* Long enough for a clock, short enough for some hundred of them. */
enum { LOOKUPS = 1 << 18, LINES_BYTES = 512 << 20 };

struct comparison {
    const struct rig *rig;
    const struct rig_options *options;
    struct random_lines *lines;
    cJSON *cells; /* NULL: printed as text */
};

static void report(const struct comparison *cmp, const struct kernel_case *c, double kernel_ns,
                   double line_ns)
{
    const struct kernel_shape *s = &c->shape;
    double share = kernel_case_lookup_lines(c) * line_ns / kernel_ns;
    if (!cmp->cells) {
        printf("%-8s %4" PRIu32 " %9" PRIu32 " %-14s %4" PRIu32 " %8.1f %8" PRIu64 " %6.2f %8.1f %6.0f%%\n",
               row_form_name(s->form), s->dim, s->n_ids, distribution_name(s->distribution), s->bag,
               kernel_ns, kernel_case_lookup_bytes(c), kernel_case_lookup_lines(c), line_ns, 100 * share);
        fflush(stdout);
        return;
    }
    cJSON *cell = cJSON_CreateObject();
    cJSON_AddItemToArray(cmp->cells, cell);
    cJSON_AddStringToObject(cell, "precision", row_form_name(s->form));
    cJSON_AddNumberToObject(cell, "dim", s->dim);
    cJSON_AddNumberToObject(cell, "ids", s->n_ids);
    cJSON_AddNumberToObject(cell, "rows", s->n_rows);
    cJSON_AddStringToObject(cell, "distribution", distribution_name(s->distribution));
    cJSON_AddNumberToObject(cell, "bag", s->bag);
    cJSON_AddNumberToObject(cell, "ns_per_lookup", kernel_ns);
    cJSON_AddNumberToObject(cell, "bytes_per_lookup", (double)kernel_case_lookup_bytes(c));
    cJSON_AddNumberToObject(cell, "lines_per_lookup", kernel_case_lookup_lines(c));
    cJSON_AddNumberToObject(cell, "ns_per_random_line", line_ns);
}

/* One bag size of a case whose tables are there. */
static enum collide_status compare_bag(const struct comparison *cmp, struct kernel_case *c,
                                       struct kernels *kernels, uint32_t bag, struct collide_error *err)
{
    enum { MAX_REPEATS = 64 };
    size_t repeats = cmp->options->repeats < MAX_REPEATS ? cmp->options->repeats : MAX_REPEATS;
    double ns[MAX_REPEATS], lines[MAX_REPEATS];
    struct kernel_run run;
    c->shape.bag = bag;
    c->shape.n_queries = LOOKUPS / bag;
    enum collide_status status = kernel_run_create(&kernel_bag, c, kernels, &run, err);
    if (status != COLLIDE_OK)
        return status;
    for (size_t i = 0; i < repeats && status == COLLIDE_OK; i++) {
        status = rig_measure(&run, 1, &ns[i], err);
        ns[i] /= (double)kernel_bag.n_lookups(&c->shape);
        lines[i] = random_lines_measure(cmp->lines, LOOKUPS);
    }
    if (status == COLLIDE_OK)
        report(cmp, c, figure_spread(ns, repeats).median, figure_spread(lines, repeats).median);
    kernel_run_destroy(&run);
    return status;
}

static enum collide_status compare_case(const struct comparison *cmp, const struct kernel_shape *shape,
                                        struct collide_error *err)
{
    struct kernel_case *c = NULL;
    struct kernels *kernels = NULL;
    enum collide_status status = kernel_case_create(shape, cmp->options->seed, &c, err);
    if (status == COLLIDE_OK)
        status = rig_kernels(cmp->rig, c, NULL, &kernels, err);
    for (size_t b = 0; b < N_BAGS && status == COLLIDE_OK; b++)
        status = compare_bag(cmp, c, kernels, BAGS[b], err);
    kernels_destroy(kernels);
    kernel_case_destroy(c);
    return status;
}

static enum collide_status compare_all(const struct comparison *cmp, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (enum row_form form = 0; form < N_ROW_FORMS; form++)
        for (size_t d = 0; d < N_DIMS; d++)
            for (size_t i = 0; i < N_IDS; i++)
                for (enum id_distribution dist = 0; dist < N_DISTRIBUTIONS && status == COLLIDE_OK; dist++) {
                    const struct kernel_shape shape = {.n_ids = IDS[i],
                                                       .n_rows = IDS[i] < MAX_ROWS ? IDS[i] : MAX_ROWS,
                                                       .dim = DIMS[d],
                                                       .form = form,
                                                       .distribution = dist};
                    status = compare_case(cmp, &shape, err);
                }
    return status;
}

enum collide_status kernel_compare(const struct rig *rig, const struct rig_options *options,
                                   struct collide_error *err)
{
    struct comparison cmp = {.rig = rig, .options = options};
    struct machine machine = machine_describe();
    cJSON *document = NULL;
    enum collide_status status = random_lines_create(LINES_BYTES, &cmp.lines, err);
    if (status != COLLIDE_OK)
        return status;
    if (options->json) {
        document = cJSON_CreateObject();
        cJSON_AddStringToObject(document, "cpu", machine.cpu);
        cJSON_AddStringToObject(document, "device", device_info(rig->device)->name);
        cmp.cells = cJSON_AddArrayToObject(document, "cells");
    } else {
        printf("remap + bag on %s; %s, %u CPUs, %s; at most %d rows; medians of %" PRIu64 "\n\n",
               device_info(rig->device)->name, machine.cpu, machine.n_cpus, machine.kernel, MAX_ROWS,
               options->repeats);
        printf("%-8s %4s %9s %-14s %4s %8s %8s %6s %8s %7s\n", "rows", "dim", "ids", "distribution", "bag",
               "ns", "bytes", "lines", "ns/line", "share");
    }
    status = compare_all(&cmp, err);
    random_lines_destroy(cmp.lines);
    if (status == COLLIDE_OK && document)
        return json_print(stdout, document, err);
    cJSON_Delete(document);
    return status;
}
