/* The scenarios of MLPerf Inference (Reddi et al. 2020, and the rules of its LoadGen), over any transport. */
#ifndef BENCH_MLPERF_H
#define BENCH_MLPERF_H

#include "load.h"

#include <stdbool.h>

enum mlperf_scenario {
    MLPERF_NONE,
    MLPERF_SINGLE_STREAM, /* one request at a time: its p90, of at least 1,024 queries and 60 s */
    MLPERF_SERVER,  /* the highest Poisson rate whose p99 is within a limit, of 270,336 queries and 60 s */
    MLPERF_OFFLINE, /* throughput with every lane busy, of 24,576 queries and 60 s */
    N_MLPERF_SCENARIOS
};

extern const char *const mlperf_scenario_names[N_MLPERF_SCENARIOS + 1]; /* NULL at the end */

struct mlperf_settings {
    enum mlperf_scenario scenario;
    struct load_span span; /* of the run that counts */
    uint64_t limit_ns;     /* SERVER: of the p99 */
    uint64_t seed, overrun_ns;
};

struct mlperf_result {
    double value;      /* in us, or requests per second */
    const char *unit;  /* "us, p90" or "requests/s" */
    bool is_valid;     /* long enough, without errors, and within the limit */
    unsigned n_trials; /* SERVER: runs of the search */
};

/* What the rules ask of a run's length. */
struct load_span mlperf_rules_span(enum mlperf_scenario scenario);

/* stats: zeroed; those of the run that counts. */
enum collide_status mlperf_run(const struct mlperf_settings *settings, struct transport transport,
                               struct load_messages *messages, struct mlperf_result *out,
                               struct load_stats *stats, struct collide_error *err);

#endif
