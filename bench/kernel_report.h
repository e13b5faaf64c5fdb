/* What `collide-bench kernel` found, for people and for programs. */
#ifndef BENCH_KERNEL_REPORT_H
#define BENCH_KERNEL_REPORT_H

#include "figures.h"
#include "kernel_case.h"
#include "machine.h"

#include <stdio.h>

struct kernel_report {
    const struct kernel_shape *shape;
    struct machine machine;
    const char *device;
    const char *engine;
    struct spread kernel; /* ns a lookup */
    struct spread scalar;
    struct spread lines; /* ns a random line */
    uint64_t lookup_bytes;
    double pair_p50_us, pair_p99_us; /* from submitting one pair to having its score */
};

void kernel_report_print_text(FILE *out, const struct kernel_report *r);

/* One document, with a newline. */
enum collide_status kernel_report_print_json(FILE *out, const struct kernel_report *r,
                                             struct collide_error *err);

#endif
