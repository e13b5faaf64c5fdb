/* Results of earlier runs, read back from their JSON. */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include "collide/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* A figure that the document does not tell is NAN, a text NULL. */
struct result_point {
    double quantile; /* in [0, 1] */
    double us;
};

struct result_range {
    double min, median, max;
};

struct result_stats {
    double n_requests, per_s, p50_us, p90_us, p99_us, p99_9_us, max_us, n_errors;
};

struct result {
    const char *name; /* on the page; borrowed from results */
    unsigned group;   /* results of one file belong together: a sweep, or a single measurement */
    unsigned series;  /* below n_series; the same for the same name */
    const char *command, *target, *description, *version;
    const char *cpu, *kernel;
    double n_cpus, offered_per_s, n_lanes;
    struct result_stats main, baseline;
    const char *baseline_name; /* NULL: there is none */
    double ratio_p50;
    struct result_range p50_us, p99_us; /* over n_repeats */
    int n_repeats;
    double wait_us, read_us, score_us, n_together; /* medians, the server's own; n_together in p50 */
    const cJSON *errors, *settings, *mlperf;       /* mlperf NULL: none */
    struct result_point *points;                   /* (n_points), owned by results */
    size_t n_points;
};

struct results {
    struct result *items; /* (n) */
    size_t n;
    unsigned n_groups, n_series;
    cJSON **documents; /* (n_groups) what the items borrow from */
};

void results_free(struct results *r);

/* The results of a group, of which there is one at least; *n of them. */
const struct result *results_group(const struct results *r, unsigned group, size_t *n);

/* Adds the results of a file, named "FILE" or "NAME=FILE"; borrows argument. */
enum collide_status results_add_file(struct results *r, const char *argument, struct collide_error *err);

#endif
