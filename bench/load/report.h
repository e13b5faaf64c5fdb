/* What a run found, for people and for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "base/args.h"
#include "figures.h"
#include "load.h"
#include "machine.h"
#include "mlperf.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* The requests in question, and those they are compared with, taken in turn with them. */
enum side { SIDE_MAIN, SIDE_BASELINE, N_SIDES };

struct measured {
    struct load_stats sides[N_SIDES]; /* the baseline's stay empty if there is none */
};

/* What had to be done again, such as "reconnects". */
struct report_redone {
    const char *name;
    uint64_t n;
};

struct report {
    const char *command;        /* such as "http" */
    const char *target;         /* what was measured, as a URL */
    const char *description;    /* one line: the load */
    const char *baseline_name;  /* NULL: there is none */
    double offered_per_s;       /* of an open loop; else NAN */
    uint64_t n_lanes;           /* requests in flight, at most */
    const struct arg *settings; /* (n_settings) with their values */
    size_t n_settings;
    struct machine machine;
    const struct measured *repeats; /* (n_repeats), at least one */
    size_t n_repeats;
    const struct measured *merged;
    const struct mlperf_settings *mlperf; /* NULL: none; then also its result */
    const struct mlperf_result *mlperf_result;
    struct report_redone redone;
};

/* The quantile's spread over the repeats; NAN where one has too few samples. */
struct spread report_spread_us(const struct report *r, enum side side, double q);

/* p50 of the main requests over p50 of the baseline, of all repeats; NAN if either is not known. */
double report_ratio(const struct report *r);

void report_print_text(FILE *out, const struct report *r);

/* A sweep: its header with the first report, and a line for each rate. */
void report_print_sweep_header(FILE *out, const struct report *first);
void report_print_sweep_row(FILE *out, const struct report *r);

/* Returns owned; incomplete or NULL without memory, see json_print. */
cJSON *report_json(const struct report *r);

/* Lines for each repeat and for all. */
void report_print_csv_header(FILE *out);
void report_print_csv(FILE *out, const struct report *r);

/* The latencies in us, as HdrHistogram's outputPercentileDistribution writes them. */
void report_print_hgrm(FILE *out, const struct load_stats *s);

#endif
