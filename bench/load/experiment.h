/* A subject under a load: warmed up, measured in repeats, reported. */
#ifndef BENCH_EXPERIMENT_H
#define BENCH_EXPERIMENT_H

#include "load_command.h"

struct experiment {
    const struct load_kind *kind;
    struct load_options *options; /* settled */
    struct subject *subject;
    const struct arg *settings; /* (n_settings) the options' table */
    size_t n_settings;
    struct measured *measured; /* (repeats + 1), owned; the last one is merged from the others */
    struct mlperf_settings mlperf;
    struct mlperf_result mlperf_result;
};

/* Borrows all that it is given. */
enum collide_status experiment_create(const struct load_kind *kind, struct load_options *options,
                                      struct subject *subject, struct experiment *out,
                                      struct collide_error *err);
void experiment_free(struct experiment *e);

/* Forgets what was measured before, and measures as the options say. */
enum collide_status experiment_measure(struct experiment *e, struct collide_error *err);

/* Throughput with every lane busy, after a second of that. */
enum collide_status experiment_find_capacity(struct experiment *e, double *per_s, struct collide_error *err);

/* Borrows e, and description (capacity). */
struct report experiment_report(const struct experiment *e, char *description, size_t capacity);

uint64_t experiment_n_errors(const struct experiment *e);

#endif
