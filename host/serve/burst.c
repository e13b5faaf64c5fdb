#include "serve/burst.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/ticks.h"
#include "serve/worker.h"

#include <stdlib.h>

_Static_assert((int)BURST_MAX <= (int)WIRE_BATCH_DATAGRAMS, "a batch holds a burst");
_Static_assert(sizeof((struct burst_counts *)0)->n_requests / sizeof(uint64_t) >= N_WIRE_CODES,
               "every code is counted");

/* A burst on its way through. */
struct passage {
    struct service *service;
    struct worker *worker;
    const struct catalogue *catalogue; /* pinned */
    struct wire_batch *batch;
    struct datagram *burst;
    size_t n;
    struct burst_times *times;
};

void service_worker_burst_counts(const struct service *s, unsigned worker, struct burst_counts *sum)
{
    const uint64_t *from = (const uint64_t *)&s->workers[worker].counts;
    for (size_t k = 0; k < sizeof *sum / sizeof(uint64_t); k++)
        ((uint64_t *)sum)[k] += counter_read(from + k);
}

void service_burst_counts(const struct service *s, struct burst_counts *out)
{
    *out = (struct burst_counts){0};
    for (unsigned i = 0; i < s->options.n_workers; i++)
        service_worker_burst_counts(s, i, out);
}

static uint64_t arrival(const struct burst_times *times, const struct datagram *d)
{
    return d->arrived_ns != 0 && d->arrived_ns < times->begin_ns ? d->arrived_ns : times->begin_ns;
}

static void read_burst(struct passage *p)
{
    struct burst_counts *counts = &p->worker->counts;
    uint64_t *const refused[] = {[WIRE_NOT_OURS] = &counts->n_not_ours,
                                 [WIRE_OTHER_VERSION] = &counts->n_other_version,
                                 [WIRE_BAD_TAG] = &counts->n_bad_tag};
    for (size_t i = 0; i < p->n; i++) {
        const struct datagram *d = &p->burst[i];
        enum wire_refusal refusal = wire_batch_read(p->batch, d->bytes, d->n_bytes, p->service->options.key,
                                                    &p->service->options.limits);
        if (refusal != WIRE_ACCEPTED)
            counter_add(refused[refusal], 1);
    }
    p->times->parsed = ticks_now();
}

static bool is_late(const struct passage *p, size_t datagram, const struct wire_part *part, uint64_t at_ns)
{
    return part->deadline_us &&
           at_ns - arrival(p->times, &p->burst[datagram]) > part->deadline_us * UINT64_C(1000);
}

/* NULL: none; the part then says why. */
static struct version_seat *seat_of(const struct passage *p, struct wire_part *part)
{
    const struct catalogue *c = p->catalogue;
    enum model_state state = part->model < c->n_models ? c->models[part->model].state
                             : part->model == 0        ? MODEL_LOADING
                                                       : MODEL_UNAVAILABLE;
    if (state == MODEL_READY)
        return &c->models[part->model].versions[0]->seats[p->worker - p->service->workers];
    part->code = state == MODEL_LOADING ? WIRE_BUSY : WIRE_UNKNOWN_MODEL;
    return NULL;
}

/* Requests that nobody waits for any more, and those whose model is not there. */
static void refuse_late_and_lost(struct passage *p)
{
    for (size_t d = 0; d < p->n; d++)
        for (size_t i = p->batch->first_part[d]; i < p->batch->first_part[d + 1]; i++) {
            struct wire_part *part = &p->batch->parts[i];
            if (part->code == WIRE_OK && seat_of(p, part) && is_late(p, d, part, p->times->begin_ns))
                part->code = WIRE_EXPIRED;
        }
}

static bool reserve(void **array, size_t *capacity, size_t n, size_t item_bytes)
{
    if (n <= *capacity)
        return true;
    void *grown = realloc(*array, 2 * n * item_bytes);
    if (!grown)
        return false;
    *array = grown;
    *capacity = 2 * n;
    return true;
}

static void prepare(struct passage *p, struct collide_lane *lane, size_t i, size_t *n_jobs)
{
    struct burst_memory *m = p->worker->burst;
    struct wire_part *part = &p->batch->parts[i];
    struct score_job *job = &m->jobs[i];
    *job =
        (struct score_job){.queries = &part->score, .n_queries = 1, .scores = m->scores + part->first_result};
    part->code = (uint8_t)wire_code_of(lane_prepare(lane, job, NULL));
    if (part->code == WIRE_OK)
        m->job_list[(*n_jobs)++] = job;
}

static void run_jobs(struct passage *p, struct version_seat *seat, size_t n)
{
    struct burst_memory *m = p->worker->burst;
    struct collide_counts counts = {0};
    enum wire_code code = n ? wire_code_of(lane_score_jobs(seat->lane, m->job_list, n, NULL)) : WIRE_OK;
    for (size_t i = 0; i < n; i++) {
        struct wire_part *part = &p->batch->parts[m->job_list[i] - m->jobs];
        part->code = (uint8_t)code;
        part->n_unknown = (uint32_t)m->job_list[i]->counts.n_unknown;
        counts_add(&counts, &m->job_list[i]->counts);
    }
    version_seat_count(seat, n, &counts);
}

/* All score requests for a model together, each one's unknown ids counted by itself. Returns the model with
 * the next number that there are requests for, or MODELS_MAX. */
static size_t score_model(struct passage *p, size_t model)
{
    struct version_seat *seat = NULL;
    size_t n = 0, next = MODELS_MAX;
    for (size_t i = 0; i < p->batch->n_parts; i++) {
        struct wire_part *part = &p->batch->parts[i];
        if (part->code != WIRE_OK || part->kind != WIRE_SCORE)
            continue;
        if (part->model == model) {
            seat = seat_of(p, part);
            prepare(p, seat->lane, i, &n);
        } else if (part->model > model && part->model < next) {
            next = part->model;
        }
    }
    if (seat)
        run_jobs(p, seat, n);
    return next;
}

static void score_parts(struct passage *p)
{
    for (size_t model = 0; model < MODELS_MAX;)
        model = score_model(p, model);
}

static void find_top(struct passage *p, struct wire_part *part)
{
    struct collide_hit *hits = p->worker->burst->hits + part->first_result;
    struct version_seat *seat = seat_of(p, part);
    struct collide_counts counts = {0};
    size_t n_hits = 0;
    enum collide_status status = collide_topk(seat->lane, &part->topk, 1, hits, &n_hits, &counts, NULL);
    version_seat_count(seat, 1, &counts);
    part->code = (uint8_t)wire_code_of(status);
    part->n_results = (uint16_t)n_hits;
    part->n_unknown = (uint32_t)counts.n_unknown;
    for (size_t i = 0; i < n_hits; i++)
        if (hits[i].item.text)
            part->code = WIRE_UNSUPPORTED;
}

/* One by one, each of which may take long: meanwhile others' deadlines pass. */
static void find_all_tops(struct passage *p)
{
    for (size_t d = 0; d < p->n; d++)
        for (size_t i = p->batch->first_part[d]; i < p->batch->first_part[d + 1]; i++) {
            struct wire_part *part = &p->batch->parts[i];
            if (part->code != WIRE_OK || part->kind != WIRE_TOPK)
                continue;
            if (is_late(p, d, part, clock_now_ns()))
                part->code = WIRE_EXPIRED;
            else
                find_top(p, part);
        }
}

static void score_burst(struct passage *p)
{
    struct burst_memory *m = p->worker->burst;
    bool has_room = reserve((void **)&m->scores, &m->n_scores, p->batch->n_scores, sizeof *m->scores) &&
                    reserve((void **)&m->hits, &m->n_hits, p->batch->n_hits, sizeof *m->hits);
    for (size_t i = 0; i < p->batch->n_parts && !has_room; i++)
        if (p->batch->parts[i].code == WIRE_OK)
            p->batch->parts[i].code = WIRE_BUSY;
    score_parts(p);
    if (p->batch->n_hits > 0)
        find_all_tops(p);
    p->times->scored = ticks_now();
}

/* On the wire, times end at 4 s. */
static uint32_t span_ns(uint64_t ns)
{
    return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static bool tells_times(const struct wire_batch *b)
{
    for (size_t i = 0; i < b->n_parts; i++)
        if (b->parts[i].flags & WIRE_TIMES)
            return true;
    return false;
}

static void print_burst(struct passage *p)
{
    struct wire_times times = {.n_together = (uint32_t)p->batch->n_parts};
    if (tells_times(p->batch)) {
        struct request_times stages = burst_times_until_now(p->times);
        times.read_ns = span_ns(stages.ns[STAGE_PARSE]);
        times.score_ns = span_ns(stages.ns[STAGE_KERNEL]);
    }
    struct wire_results results = {
        .scores = p->worker->burst->scores, .hits = p->worker->burst->hits, .times = &times};
    for (size_t i = 0; i < p->n; i++) {
        struct datagram *d = &p->burst[i];
        times.arrived_ns = arrival(p->times, d);
        times.wait_ns = span_ns(p->times->begin_ns - times.arrived_ns);
        d->n_reply_bytes =
            (uint32_t)wire_batch_print(p->batch, i, &results, p->service->options.key, d->bytes, d->capacity);
    }
    for (size_t i = 0; i < p->batch->n_parts; i++)
        counter_add(&p->worker->counts.n_requests[p->batch->parts[i].code], 1);
}

static enum work work_of(const struct wire_part *part)
{
    return part->kind == WIRE_SCORE ? WORK_SCORE : part->kind == WIRE_TOPK ? WORK_TOPK : WORK_OTHER;
}

/* Datagrams that arrived together are observed together: of shared memory, all. */
void service_burst_sent(struct service *s, unsigned worker, const struct datagram *burst, size_t n)
{
    struct burst_memory *m = s->workers[worker].burst;
    if (!m)
        return;
    struct request_times times = burst_times_until_now(&m->times);
    for (size_t d = 0, next; d < n; d = next) {
        uint64_t n_requests[N_WORKS] = {0};
        times.begin_ns = arrival(&m->times, &burst[d]);
        times.ns[STAGE_QUEUE] = m->times.begin_ns - times.begin_ns;
        for (next = d; next < n && arrival(&m->times, &burst[next]) == times.begin_ns; next++)
            for (size_t i = m->batch.first_part[next]; i < m->batch.first_part[next + 1]; i++)
                n_requests[work_of(&m->batch.parts[i])]++;
        observe_burst(s->observer, worker, &times, n_requests);
    }
}

void service_answer_burst(struct service *s, unsigned worker, struct datagram *burst, size_t n)
{
    struct worker *w = &s->workers[worker];
    if (!w->burst)
        w->burst = calloc(1, sizeof *w->burst);
    for (size_t i = 0; i < n; i++)
        burst[i].n_reply_bytes = 0;
    counter_add(&w->counts.n_bursts, 1);
    counter_add(&w->counts.n_datagrams, n);
    if (!w->burst)
        return;
    struct passage p = {.service = s,
                        .worker = w,
                        .batch = &w->burst->batch,
                        .burst = burst,
                        .n = n,
                        .times = &w->burst->times};
    burst_times_begin(p.times);
    wire_batch_reset(p.batch);
    read_burst(&p);
    p.catalogue = worker_pin(s, w);
    refuse_late_and_lost(&p);
    score_burst(&p);
    worker_unpin(w);
    print_burst(&p);
}
