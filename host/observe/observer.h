/* What a running service has seen: every worker's counts and durations, and what is kept of its requests.
 * Each worker is used by one thread at a time, which takes no lock and allocates nothing; anybody reads
 * meanwhile. */
#ifndef OBSERVE_OBSERVER_H
#define OBSERVE_OBSERVER_H

#include "collide/status.h"
#include "observe/durations.h"
#include "observe/request_record.h"

#include <stdbool.h>

/* What a request wants. Others have no stages behind reading. */
enum work { WORK_SCORE, WORK_TOPK, WORK_OTHER, N_WORKS, N_STAGED_WORKS = WORK_OTHER };

const char *work_name(enum work work);

/* A route is a place in the table of names that the server has; more are counted as the last. */
enum { OBSERVER_MAX_ROUTES = 64, OBSERVER_N_STATUSES = 24 };

struct observer_options {
    unsigned n_workers;
    uint64_t slow_ns;       /* requests that take longer are kept for a while; 0: none is */
    const char *access_log; /* a path, "-" for standard error; NULL: none. Borrowed */
};

struct observer;

/* Returns owned. Each worker is HTTP's until it is given to another transport. */
enum collide_status observer_create(const struct observer_options *options, struct observer **out,
                                    struct collide_error *err);
void observer_destroy(struct observer *o);

/* Before the workers' threads start. */
void observer_give_workers(struct observer *o, unsigned first, unsigned n, enum transport_kind kind);

/* What a worker is at, filled in on the way by whoever knows. */
struct observed_request {
    struct request_times times;
    enum work work;
    char model[128]; /* its name, as far as it goes; "": none */
};

/* The worker's; it turns to another with observer_begin. */
struct observed_request *observer_current(struct observer *o, unsigned worker);

/* To a request whose first line was seen at begun_ns, and at complete_ns, no earlier, that its last byte had
 * come; until the request before it was answered it waited. Returns the time, of clock_now_ns. */
uint64_t observer_begin(struct observer *o, unsigned worker, uint64_t begun_ns, uint64_t complete_ns);

/* How an HTTP request was answered. */
struct observed_answer {
    unsigned route, status;
    uint64_t n_bytes_in, n_bytes_out; /* of bodies */
};

/* Counts what the worker was at. Whether it is to be logged or kept: then, and only then, a record of it is
 * worth filling in. */
bool observe_answer(struct observer *o, unsigned worker, const struct observed_answer *a);

/* A record with all but what only the connection knows. */
void observer_fill_record(struct observer *o, unsigned worker, const struct observed_answer *a,
                          struct request_record *out);
void observe_record(struct observer *o, unsigned worker, const struct request_record *r);

/* n_requests[work] datagram requests that shared these times. */
void observe_burst(struct observer *o, unsigned worker, const struct request_times *times,
                   const uint64_t n_requests[N_WORKS]);

/* For readers. */

double observer_created_s(const struct observer *o); /* since 1970 */
double observer_age_s(const struct observer *o);

/* The log; NULL: none. */
struct access_log *observer_access_log(const struct observer *o);

/* Whether any worker is of this kind. */
bool observer_has(const struct observer *o, enum transport_kind kind);
enum transport_kind observer_kind(const struct observer *o, unsigned worker);

/* Of all workers of a transport, what has this work: from the first byte to the answer; and by stage, which
 * are 0 of WORK_OTHER. */
void observer_total(const struct observer *o, enum transport_kind kind, enum work work,
                    struct durations *out);
void observer_stage(const struct observer *o, enum transport_kind kind, enum work work, enum stage stage,
                    struct durations *out);

/* HTTP answers by route and status; status i < OBSERVER_N_STATUSES is observer_status(i), 0: all others. */
unsigned observer_status(unsigned i);
uint64_t observer_answers(const struct observer *o, unsigned route, unsigned i);

struct observed_bytes {
    uint64_t n_in, n_out; /* of HTTP bodies */
};

struct observed_bytes observer_bytes(const struct observer *o);

/* The slow requests that are still kept, newest first, as {"slow_us": ..., "requests": [...]}. */
void observer_print_slow(const struct observer *o, struct buffer *out);

#endif
