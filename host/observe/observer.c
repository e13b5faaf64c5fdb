#include "observe/observer.h"

#include "base/counter.h"
#include "base/error.h"
#include "observe/access_log.h"
#include "observe/slow_ring.h"

#include <stdlib.h>
#include <string.h>

static const uint16_t statuses[OBSERVER_N_STATUSES - 1] = {200, 202, 204, 304, 400, 401, 403, 404,
                                                           405, 406, 408, 409, 411, 413, 415, 417,
                                                           422, 429, 431, 500, 501, 503, 505};

/* Written by one thread: nobody else's lines. */
struct observed_worker {
    _Alignas(64) enum transport_kind kind;
    struct observed_request current; /* its own thread's alone */
    struct durations totals[N_WORKS];
    struct durations stages[N_STAGED_WORKS][N_STAGES];
    uint64_t answers[OBSERVER_MAX_ROUTES][OBSERVER_N_STATUSES];
    struct observed_bytes bytes;
    struct slow_ring slow;
};

struct observer {
    uint64_t created_ns;
    double created_s; /* since 1970 */
    struct observer_options options;
    struct access_log *log;          /* NULL: none */
    struct observed_worker *workers; /* (n_workers) */
};

const char *work_name(enum work work)
{
    static const char *const names[] = {[WORK_SCORE] = "score", [WORK_TOPK] = "topk", [WORK_OTHER] = "other"};
    return names[work];
}

enum collide_status observer_create(const struct observer_options *options, struct observer **out,
                                    struct collide_error *err)
{
    struct observer *o = calloc(1, sizeof *o);
    if (!o)
        return error_no_memory(err, "what is observed");
    o->options = *options;
    o->created_ns = clock_now_ns();
    o->created_s = (double)((int64_t)o->created_ns + request_record_wall_offset_ns()) * 1e-9;
    size_t n_bytes = options->n_workers * sizeof *o->workers;
    o->workers = aligned_alloc(_Alignof(struct observed_worker), n_bytes);
    enum collide_status status = o->workers ? COLLIDE_OK : error_no_memory(err, "what is observed");
    if (o->workers)
        memset(o->workers, 0, n_bytes);
    if (status == COLLIDE_OK && options->access_log)
        status = access_log_create(options->access_log, options->n_workers, &o->log, err);
    if (status != COLLIDE_OK) {
        observer_destroy(o);
        return status;
    }
    *out = o;
    return COLLIDE_OK;
}

void observer_destroy(struct observer *o)
{
    if (!o)
        return;
    access_log_destroy(o->log);
    free(o->workers);
    free(o);
}

void observer_give_workers(struct observer *o, unsigned first, unsigned n, enum transport_kind kind)
{
    for (unsigned i = first; i < first + n; i++)
        o->workers[i].kind = kind;
}

/* The last is that of all others. */
static unsigned index_of(unsigned status)
{
    unsigned i = 0;
    while (i < OBSERVER_N_STATUSES - 1 && statuses[i] != status)
        i++;
    return i;
}

unsigned observer_status(unsigned i)
{
    return i < OBSERVER_N_STATUSES - 1 ? statuses[i] : 0;
}

static void add_times(struct observed_worker *w, const struct request_times *times, enum work work,
                      uint64_t n)
{
    durations_add(&w->totals[work], request_times_total(times), n);
    for (enum stage i = 0; i < N_STAGES && work < N_STAGED_WORKS; i++)
        durations_add(&w->stages[work][i], times->ns[i], n);
}

struct observed_request *observer_current(struct observer *o, unsigned worker)
{
    return &o->workers[worker].current;
}

uint64_t observer_begin(struct observer *o, unsigned worker, uint64_t begun_ns, uint64_t complete_ns)
{
    struct observed_request *r = &o->workers[worker].current;
    uint64_t now_ns = clock_now_ns(), free_ns = r->times.at_ns > complete_ns ? r->times.at_ns : complete_ns;
    *r = (struct observed_request){.times = {.begin_ns = begun_ns, .at_ns = now_ns}, .work = WORK_OTHER};
    r->times.ns[STAGE_READ] = complete_ns - begun_ns + now_ns - free_ns;
    r->times.ns[STAGE_QUEUE] = free_ns - complete_ns;
    return now_ns;
}

static bool is_slow(const struct observer *o, uint64_t total_ns)
{
    return o->options.slow_ns > 0 && total_ns > o->options.slow_ns;
}

bool observe_answer(struct observer *o, unsigned worker, const struct observed_answer *a)
{
    struct observed_worker *w = &o->workers[worker];
    unsigned route = a->route < OBSERVER_MAX_ROUTES ? a->route : OBSERVER_MAX_ROUTES - 1;
    counter_add(&w->answers[route][index_of(a->status)], 1);
    counter_add(&w->bytes.n_in, a->n_bytes_in);
    counter_add(&w->bytes.n_out, a->n_bytes_out);
    if (w->current.work == WORK_OTHER) /* nobody has ended its stages */
        w->current.times.at_ns = clock_now_ns();
    add_times(w, &w->current.times, w->current.work, 1);
    return o->log || is_slow(o, request_times_total(&w->current.times));
}

void observer_fill_record(struct observer *o, unsigned worker, const struct observed_answer *a,
                          struct request_record *out)
{
    const struct observed_worker *w = &o->workers[worker];
    *out = (struct request_record){.transport = (uint16_t)w->kind,
                                   .status = (uint16_t)a->status,
                                   .n_requests = 1,
                                   .n_bytes_in = a->n_bytes_in,
                                   .n_bytes_out = a->n_bytes_out};
    request_record_set_times(out, &w->current.times);
    request_record_set_text(out->model, sizeof out->model, w->current.model);
}

void observe_record(struct observer *o, unsigned worker, const struct request_record *r)
{
    if (o->log)
        access_log_put(o->log, worker, r);
    if (is_slow(o, r->total_ns))
        slow_ring_put(&o->workers[worker].slow, r);
}

static void keep_slow_burst(struct observer *o, unsigned worker, const struct request_times *times,
                            uint64_t n_requests)
{
    struct observed_worker *w = &o->workers[worker];
    struct request_record r = {.transport = (uint16_t)w->kind, .n_requests = (uint32_t)n_requests};
    request_record_set_times(&r, times);
    slow_ring_put(&w->slow, &r);
}

void observe_burst(struct observer *o, unsigned worker, const struct request_times *times,
                   const uint64_t n_requests[N_WORKS])
{
    uint64_t n = 0;
    for (enum work work = 0; work < N_WORKS; work++) {
        if (n_requests[work] > 0)
            add_times(&o->workers[worker], times, work, n_requests[work]);
        n += n_requests[work];
    }
    if (is_slow(o, request_times_total(times)))
        keep_slow_burst(o, worker, times, n);
}

double observer_created_s(const struct observer *o)
{
    return o->created_s;
}

double observer_age_s(const struct observer *o)
{
    return clock_seconds_since(o->created_ns);
}

struct access_log *observer_access_log(const struct observer *o)
{
    return o->log;
}

enum transport_kind observer_kind(const struct observer *o, unsigned worker)
{
    return o->workers[worker].kind;
}

bool observer_has(const struct observer *o, enum transport_kind kind)
{
    for (unsigned i = 0; i < o->options.n_workers; i++)
        if (o->workers[i].kind == kind)
            return true;
    return false;
}

void observer_total(const struct observer *o, enum transport_kind kind, enum work work, struct durations *out)
{
    *out = (struct durations){0};
    for (unsigned i = 0; i < o->options.n_workers; i++)
        if (o->workers[i].kind == kind)
            durations_merge(out, &o->workers[i].totals[work]);
}

void observer_stage(const struct observer *o, enum transport_kind kind, enum work work, enum stage stage,
                    struct durations *out)
{
    *out = (struct durations){0};
    for (unsigned i = 0; i < o->options.n_workers && work < N_STAGED_WORKS; i++)
        if (o->workers[i].kind == kind)
            durations_merge(out, &o->workers[i].stages[work][stage]);
}

uint64_t observer_answers(const struct observer *o, unsigned route, unsigned i)
{
    uint64_t n = 0;
    for (unsigned w = 0; w < o->options.n_workers; w++)
        n += counter_read(&o->workers[w].answers[route][i]);
    return n;
}

struct observed_bytes observer_bytes(const struct observer *o)
{
    struct observed_bytes all = {0};
    for (unsigned w = 0; w < o->options.n_workers; w++) {
        all.n_in += counter_read(&o->workers[w].bytes.n_in);
        all.n_out += counter_read(&o->workers[w].bytes.n_out);
    }
    return all;
}

static int newest_first(const void *a, const void *b)
{
    const struct request_record *x = a, *y = b;
    uint64_t x_ns = x->begin_ns + x->total_ns, y_ns = y->begin_ns + y->total_ns;
    return (x_ns < y_ns) - (x_ns > y_ns);
}

void observer_print_slow(const struct observer *o, struct buffer *out)
{
    struct request_record *all = calloc((size_t)o->options.n_workers * SLOW_RING_RECORDS, sizeof *all);
    size_t n = 0;
    if (!all) {
        out->failed = true;
        return;
    }
    for (unsigned w = 0; w < o->options.n_workers; w++)
        n += slow_ring_read(&o->workers[w].slow, &all[n]);
    qsort(all, n, sizeof *all, newest_first);
    int64_t wall_offset_ns = request_record_wall_offset_ns();
    buffer_printf(out, "{\"slow_us\":%.0f,\"requests\":[", (double)o->options.slow_ns * 1e-3);
    for (size_t i = 0; i < n; i++) {
        buffer_append_text(out, i ? ",\n" : "\n");
        request_record_print(&all[i], wall_offset_ns, out);
    }
    buffer_append_text(out, "]}\n");
    free(all);
}
