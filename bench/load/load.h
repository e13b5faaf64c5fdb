/* Driving requests through a transport and timing their answers.
 *
 * A closed loop keeps every lane busy and times a request from its sending. An open loop sends on a schedule
 * that does not wait for answers, and times a request from when it was DUE: a request that found no lane free
 * has waited all that while, as its user would have (wrk2; MLPerf LoadGen's server scenario). Otherwise a
 * stalled server would be asked less often exactly when it is slow ("coordinated omission"). */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "arrivals.h"
#include "base/histogram.h"
#include "collide/status.h"
#include "transport.h"

enum load_mode { LOAD_CLOSED, LOAD_OPEN };

struct load_settings {
    enum load_mode mode;
    enum arrivals_kind arrivals; /* open loop only, as are rate and seed */
    double rate;                 /* requests per second */
    uint64_t seed;
    uint64_t overrun_ns; /* how long after a stretch's end its late requests may still be sent */
};

/* How long a stretch of load is: until both have passed. */
struct load_span {
    uint64_t duration_ns;
    uint64_t n_queries; /* sent, or due */
};

/* Messages sent in turn. */
struct load_messages {
    const struct message *items; /* (n), borrowed */
    size_t n;
    size_t next;
    int expected_code; /* any other answer is an error */
};

enum load_error {
    LOAD_ERROR_CODE,       /* answered, but not with the expected code */
    LOAD_ERROR_CONNECTION, /* as enum outcome */
    LOAD_ERROR_TIMEOUT,
    LOAD_ERROR_MALFORMED,
    LOAD_ERROR_LOST,
    LOAD_ERROR_UNSENT, /* due, but no lane was free until overrun_ns after the end */
    N_LOAD_ERRORS
};

struct load_stats {
    struct histogram latency_ns; /* of requests answered as expected, and only those */
    struct histogram stages[N_STAGES]; /* of those whose answers tell */
    struct histogram refused_ns;       /* the latency of answers with another code than the expected */
    struct histogram late_ns; /* how long after it was due a request was sent: the client's part; open loop only */
    uint64_t errors[N_LOAD_ERRORS];
    uint64_t elapsed_ns; /* from the start to the end or the last answer, whichever is later */
};

const char *load_error_name(enum load_error e);
uint64_t load_n_errors(const struct load_stats *s);
void load_stats_merge(struct load_stats *into, const struct load_stats *from);

struct load;

/* Borrows the transport until load_destroy. Returns owned. */
enum collide_status load_create(const struct load_settings *settings, struct transport transport,
                                struct load **out, struct collide_error *err);
void load_destroy(struct load *l);

/* One stretch of load: sends for the span, waits for the last answer, and adds to stats. All lanes are idle
 * before and after. Without allocation. */
void load_run(struct load *l, struct load_messages *messages, struct load_span span,
              struct load_stats *stats);

#endif
