/* Latency against the offered rate. */
#ifndef BENCH_SWEEP_H
#define BENCH_SWEEP_H

#include "experiment.h"

/* What a sweep does with each measurement. */
struct sweep_sink {
    void *context;
    void (*take)(void *context, const struct report *r);
};

/* Measures at one rate after the other, from low to high; sets the options' rate. */
enum collide_status sweep_run(struct experiment *e, const struct sweep_sink *sink, struct collide_error *err);

#endif
