#include "kernel_compare.h"

#include "base/error.h"
#include "figures.h"
#include "json.h"
#include "machine.h"
#include "random_lines.h"

#include <inttypes.h>
#include <math.h>
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
    struct random_lines *lines; /* NULL: the device is no CPU, whose lines say nothing of it */
    cJSON *cells;               /* NULL: printed as text */
};

/* ns a lookup, and a random line: NAN if none were measured. */
struct cell {
    double kernel_ns, line_ns;
};

static double share_of_lines(const struct kernel_case *c, const struct cell *cell)
{
    return kernel_case_lookup_lines(c) * cell->line_ns / cell->kernel_ns;
}

/* Bytes a ns. */
static double gb_per_s(const struct kernel_case *c, const struct cell *cell)
{
    return kernel_case_lookup_bytes(c) / cell->kernel_ns;
}

static void print_cell(const struct kernel_case *c, const struct cell *cell)
{
    const struct kernel_shape *s = &c->shape;
    printf("%-8s %4" PRIu32 " %9" PRIu32 " %-14s %4" PRIu32 " %8.2f %8.0f %8.2f %6.2f",
           row_form_name(s->form), s->dim, s->n_ids, distribution_name(s->distribution), s->bag,
           cell->kernel_ns, kernel_case_lookup_bytes(c), gb_per_s(c, cell), kernel_case_lookup_lines(c));
    if (isnan(cell->line_ns))
        printf(" %8s %7s\n", "-", "-");
    else
        printf(" %8.1f %6.0f%%\n", cell->line_ns, 100 * share_of_lines(c, cell));
    fflush(stdout);
}

static void add_cell(cJSON *cells, const struct kernel_case *c, const struct cell *cell)
{
    const struct kernel_shape *s = &c->shape;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(cells, object);
    cJSON_AddStringToObject(object, "precision", row_form_name(s->form));
    cJSON_AddNumberToObject(object, "dim", s->dim);
    cJSON_AddNumberToObject(object, "ids", s->n_ids);
    cJSON_AddNumberToObject(object, "rows", s->n_rows);
    cJSON_AddStringToObject(object, "distribution", distribution_name(s->distribution));
    cJSON_AddNumberToObject(object, "bag", s->bag);
    cJSON_AddNumberToObject(object, "ns_per_lookup", cell->kernel_ns);
    cJSON_AddNumberToObject(object, "bytes_per_lookup", kernel_case_lookup_bytes(c));
    cJSON_AddNumberToObject(object, "gb_per_s", gb_per_s(c, cell));
    cJSON_AddNumberToObject(object, "lines_per_lookup", kernel_case_lookup_lines(c));
    if (isnan(cell->line_ns))
        return;
    cJSON_AddNumberToObject(object, "ns_per_random_line", cell->line_ns);
    cJSON_AddNumberToObject(object, "share_of_random_lines", share_of_lines(c, cell));
}

/* One bag size of a case whose tables are there. */
static enum collide_status compare_bag(const struct comparison *cmp, struct kernel_case *c,
                                       struct kernels *kernels, uint32_t bag, struct collide_error *err)
{
    const size_t repeats = cmp->options->repeats;
    double *ns = calloc(2 * repeats, sizeof *ns), *lines = ns + repeats;
    struct kernel_run run;
    c->shape.bag = bag;
    c->shape.n_queries = LOOKUPS / bag;
    enum collide_status status =
        ns ? kernel_run_create(&kernel_bag, c, kernels, &run, err) : error_no_memory(err, "the measurements");
    if (status != COLLIDE_OK) {
        free(ns);
        return status;
    }
    for (size_t i = 0; i < repeats && status == COLLIDE_OK; i++) {
        status = rig_measure(&run, 1, &ns[i], err);
        ns[i] /= (double)kernel_bag.n_lookups(&c->shape);
        lines[i] = cmp->lines ? random_lines_measure(cmp->lines, LOOKUPS) : NAN;
    }
    const struct cell cell = {figure_spread(ns, repeats).median, figure_spread(lines, repeats).median};
    if (status == COLLIDE_OK && cmp->cells)
        add_cell(cmp->cells, c, &cell);
    else if (status == COLLIDE_OK)
        print_cell(c, &cell);
    kernel_run_destroy(&run);
    free(ns);
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

static cJSON *begin_document(const char *device)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "cpu", machine_describe().cpu);
    cJSON_AddStringToObject(document, "device", device);
    return document;
}

static void print_head(const char *device, uint64_t repeats)
{
    struct machine machine = machine_describe();
    printf("remap + bag on %s; %s, %u CPUs, %s; at most %d rows; medians of %" PRIu64 "\n\n", device,
           machine.cpu, machine.n_cpus, machine.kernel, MAX_ROWS, repeats);
    printf("%-8s %4s %9s %-14s %4s %8s %8s %8s %6s %8s %7s\n", "rows", "dim", "ids", "distribution", "bag",
           "ns", "bytes", "GB/s", "lines", "ns/line", "share");
}

enum collide_status kernel_compare(const struct rig *rig, const struct rig_options *options,
                                   struct collide_error *err)
{
    const struct device_info *device = device_info(rig->device);
    struct comparison cmp = {.rig = rig, .options = options};
    cJSON *document = NULL;
    enum collide_status status = COLLIDE_OK;
    if (device->type & CL_DEVICE_TYPE_CPU)
        status = random_lines_create(LINES_BYTES, &cmp.lines, err);
    if (status != COLLIDE_OK)
        return status;
    if (options->json) {
        document = begin_document(device->name);
        cmp.cells = cJSON_AddArrayToObject(document, "cells");
    } else {
        print_head(device->name, options->repeats);
    }
    status = compare_all(&cmp, err);
    random_lines_destroy(cmp.lines);
    if (status == COLLIDE_OK && document)
        return json_print(stdout, document, err);
    cJSON_Delete(document);
    return status;
}
