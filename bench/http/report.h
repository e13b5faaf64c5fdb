/* What a run found, for people and for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "base/args.h"
#include "figures.h"
#include "load.h"
#include "machine.h"

#include <stdio.h>

/* The requests in question, and those they are compared with, taken in turn with them. */
enum side { SIDE_MAIN, SIDE_BASELINE, N_SIDES };

struct measured {
    struct load_stats sides[N_SIDES]; /* the baseline's stay empty if there is none */
};

struct report {
    const char *command;        /* such as "http" */
    const char *target;         /* what was measured, as a URL */
    const char *description;    /* one line: the load */
    const char *baseline_name;  /* NULL: there is none */
    const struct arg *settings; /* (n_settings) with their values */
    size_t n_settings;
    struct machine machine;
    const struct measured *repeats; /* (n_repeats), at least one */
    size_t n_repeats;
    const struct measured *merged;
    uint64_t n_reconnects;
};

/* The quantile's spread over the repeats; NAN where one has too few samples. */
struct spread report_spread_us(const struct report *r, enum side side, double q);

/* p50 of the main requests over p50 of the baseline, of all repeats; NAN if either is not known. */
double report_ratio(const struct report *r);

void report_print_text(FILE *out, const struct report *r);

/* One document, with a newline. */
enum collide_status report_print_json(FILE *out, const struct report *r, struct collide_error *err);

#endif
