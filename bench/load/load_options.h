/* What every load can be told, whatever carries it. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include "base/args.h"
#include "load.h"
#include "question.h"

enum { LOAD_N_OPTIONS = 21, SWEEP_N_OPTIONS = 2, QUERY_IDS_MAX = 1000000 };

/* How to wait for answers. */
enum load_wait { LOAD_WAIT_SPIN, LOAD_WAIT_SLEEP };

struct load_options {
    int mode; /* enum load_mode */
    double rate;
    int arrivals;       /* enum arrivals_kind */
    uint64_t n_lanes;   /* 0 until load_options_settle */
    double duration_s;  /* 0: not given */
    uint64_t n_queries; /* 0: not given */
    double warmup_s;
    uint64_t repeats;
    double timeout_s;
    int wait;        /* enum load_wait */
    int mlperf;      /* enum mlperf_scenario */
    double limit_us; /* of the p99; 0: none */
    struct question question;
    bool json;
    const char *csv, *hgrm; /* files, or NULL */
    struct arg_u64_list sweep_rates;
    uint64_t sweep_steps;
};

/* How a kind of load calls its lanes, and how many it has when nobody says. */
struct load_lanes {
    const char *name; /* of the option */
    char short_name;
    const char *help;
    uint64_t n_open; /* of open loops and throughput; closed loops have one */
    uint64_t n_max;
};

struct load_options load_options_defaults(void);

/* The table borrows o. */
void load_options_fill_table(struct load_options *o, const struct load_lanes *lanes,
                             struct arg table[LOAD_N_OPTIONS]);
void sweep_options_fill_table(struct load_options *o, struct arg table[SWEEP_N_OPTIONS]);

/* Refuses options that do not go together, and fills in what was not given. */
enum collide_status load_options_settle(struct load_options *o, const struct load_lanes *lanes,
                                        struct collide_error *err);

/* Beyond these, of a sweep: the rates are its own. */
enum collide_status sweep_options_settle(struct load_options *o, struct collide_error *err);

/* One line for people: the load and what it asks. */
void load_options_describe(const struct load_options *o, const struct load_lanes *lanes, char *out,
                           size_t capacity);

struct load_span load_options_span(const struct load_options *o);
struct load_settings load_options_settings(const struct load_options *o);

static inline uint64_t ns_of(double seconds)
{
    return (uint64_t)(seconds * 1e9);
}

#endif
