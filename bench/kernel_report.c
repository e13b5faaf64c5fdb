#include "kernel_report.h"

#include "json.h"

#include <inttypes.h>

static void print_row(FILE *out, const char *name, const struct spread *s, uint64_t n_bytes)
{
    fprintf(out, "%-14s %12.1f %9.1f .. %6.1f %10.2f\n", name, s->median, s->min, s->max,
            (double)n_bytes / s->median);
}

void kernel_report_print_text(FILE *out, const struct kernel_report *r)
{
    const struct kernel_shape *s = r->shape;
    fprintf(out,
            "remap + bag: %" PRIu32 " ids -> %" PRIu32 " rows x %" PRIu32 " %s, bags of %" PRIu32
            ", uniform\n",
            s->n_ids, s->n_rows, s->dim, precision_name(s->precision), s->bag);
    fprintf(out, "%s, %s engine; %s, %u CPUs, %s\n\n", r->device, r->engine, r->machine.cpu,
            r->machine.n_cpus, r->machine.kernel);
    fprintf(out, "%-14s %12s %19s %10s\n", "", "ns a lookup", "(min .. max)", "GB/s");
    print_row(out, "kernel", &r->kernel, r->lookup_bytes);
    print_row(out, "scalar C", &r->scalar, r->lookup_bytes);
    print_row(out, "random lines", &r->lines, KERNEL_LINE_BYTES);
    fprintf(out, "\nkernel against scalar C: %.2fx\n", r->scalar.median / r->kernel.median);
    fprintf(out, "one pair, submit to result: %.2f us p50, %.2f us p99\n", r->pair_p50_us, r->pair_p99_us);
}

static void add_side(cJSON *document, const char *name, const struct spread *s, uint64_t n_bytes)
{
    cJSON *side = cJSON_AddObjectToObject(document, name);
    cJSON_AddNumberToObject(side, "ns_per_lookup", s->median);
    cJSON_AddNumberToObject(side, "min", s->min);
    cJSON_AddNumberToObject(side, "max", s->max);
    cJSON_AddNumberToObject(side, "gb_per_s", (double)n_bytes / s->median);
}

enum collide_status kernel_report_print_json(FILE *out, const struct kernel_report *r,
                                             struct collide_error *err)
{
    const struct kernel_shape *s = r->shape;
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "cpu", r->machine.cpu);
    cJSON_AddStringToObject(document, "kernel_version", r->machine.kernel);
    cJSON_AddStringToObject(document, "device", r->device);
    cJSON_AddStringToObject(document, "engine", r->engine);
    cJSON_AddNumberToObject(document, "ids", s->n_ids);
    cJSON_AddNumberToObject(document, "rows", s->n_rows);
    cJSON_AddNumberToObject(document, "dim", s->dim);
    cJSON_AddStringToObject(document, "precision", precision_name(s->precision));
    cJSON_AddNumberToObject(document, "bag", s->bag);
    cJSON_AddNumberToObject(document, "bytes_per_lookup", (double)r->lookup_bytes);
    add_side(document, "kernel", &r->kernel, r->lookup_bytes);
    add_side(document, "scalar", &r->scalar, r->lookup_bytes);
    add_side(document, "random_lines", &r->lines, KERNEL_LINE_BYTES);
    cJSON_AddNumberToObject(document, "ratio", r->scalar.median / r->kernel.median);
    cJSON_AddNumberToObject(document, "pair_p50_us", r->pair_p50_us);
    cJSON_AddNumberToObject(document, "pair_p99_us", r->pair_p99_us);
    return json_print(out, document, err);
}
