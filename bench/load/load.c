#include "load.h"

#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>

struct load {
    struct load_settings settings;
    struct transport transport;
    struct arrivals arrivals;
    unsigned n_idle;
    unsigned *idle;          /* (n_lanes) the first n_idle are the idle lanes */
    uint64_t *timed_from_ns; /* (n_lanes) of the lane's request */
};

/* The part of a load's state that lives for one stretch. */
struct stretch {
    uint64_t start_ns;
    uint64_t end_ns;     /* before which no stretch is over */
    uint64_t give_up_ns; /* when what is late is no longer sent */
    uint64_t n_left;     /* queries that are to come whatever the time */
    uint64_t last_ns;    /* the end, or a later completion */
    struct load_messages *messages;
    struct load_stats *stats;
};

const char *load_error_name(enum load_error e)
{
    static const char *const names[N_LOAD_ERRORS] = {
        [LOAD_ERROR_CODE] = "status",     [LOAD_ERROR_CONNECTION] = "connection",
        [LOAD_ERROR_TIMEOUT] = "timeout", [LOAD_ERROR_MALFORMED] = "malformed",
        [LOAD_ERROR_LOST] = "lost",       [LOAD_ERROR_UNSENT] = "unsent",
    };
    return names[e];
}

uint64_t load_n_errors(const struct load_stats *s)
{
    uint64_t n = 0;
    for (int e = 0; e < N_LOAD_ERRORS; e++)
        n += s->errors[e];
    return n;
}

void load_stats_merge(struct load_stats *into, const struct load_stats *from)
{
    histogram_merge(&into->latency_ns, &from->latency_ns);
    for (int stage = 0; stage < N_STAGES; stage++)
        histogram_merge(&into->stages[stage], &from->stages[stage]);
    histogram_merge(&into->refused_ns, &from->refused_ns);
    histogram_merge(&into->late_ns, &from->late_ns);
    for (int e = 0; e < N_LOAD_ERRORS; e++)
        into->errors[e] += from->errors[e];
    into->elapsed_ns += from->elapsed_ns;
}

enum collide_status load_create(const struct load_settings *settings, struct transport transport,
                                struct load **out, struct collide_error *err)
{
    struct load *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "the load");
    *l = (struct load){.settings = *settings, .transport = transport, .n_idle = transport.n_lanes};
    if (settings->mode == LOAD_OPEN)
        l->arrivals = arrivals_at_rate(settings->arrivals, settings->rate, rng_seeded(settings->seed, 0));
    l->idle = calloc(transport.n_lanes, sizeof *l->idle);
    l->timed_from_ns = calloc(transport.n_lanes, sizeof *l->timed_from_ns);
    if (!l->idle || !l->timed_from_ns) {
        load_destroy(l);
        return error_no_memory(err, "the load's lanes");
    }
    for (unsigned lane = 0; lane < transport.n_lanes; lane++)
        l->idle[lane] = lane;
    *out = l;
    return COLLIDE_OK;
}

void load_destroy(struct load *l)
{
    if (!l)
        return;
    free(l->timed_from_ns);
    free(l->idle);
    free(l);
}

static uint64_t now_of(const struct load *l)
{
    return l->transport.ops->now_ns(l->transport.self);
}

/* When the next request is to be sent, UINT64_MAX if this stretch has no more. A closed loop's is always due.
 */
static uint64_t next_due_ns(const struct load *l, const struct stretch *s, uint64_t now_ns)
{
    uint64_t due_ns = l->settings.mode == LOAD_OPEN ? s->start_ns + arrivals_due_ns(&l->arrivals) : now_ns;
    return due_ns < s->end_ns || s->n_left > 0 ? due_ns : UINT64_MAX;
}

/* Takes the next request off the schedule. */
static void advance(struct load *l, struct stretch *s)
{
    s->n_left -= s->n_left > 0;
    if (l->settings.mode == LOAD_OPEN)
        arrivals_advance(&l->arrivals);
}

static void send_one(struct load *l, struct stretch *s, uint64_t due_ns, uint64_t now_ns)
{
    struct load_messages *m = s->messages;
    unsigned lane = l->idle[--l->n_idle];
    l->timed_from_ns[lane] = due_ns;
    if (l->settings.mode == LOAD_OPEN)
        histogram_record(&s->stats->late_ns, now_ns - due_ns);
    l->transport.ops->send(l->transport.self, lane, &m->items[m->next]);
    m->next = m->next + 1 < m->n ? m->next + 1 : 0;
    advance(l, s);
}

/* Sends what is due while lanes are idle; returns when the next will be due. */
static uint64_t send_due(struct load *l, struct stretch *s)
{
    for (;;) {
        uint64_t now_ns = now_of(l);
        uint64_t due_ns = next_due_ns(l, s, now_ns);
        if (due_ns > now_ns || l->n_idle == 0)
            return due_ns;
        send_one(l, s, due_ns, now_ns);
    }
}

static void count_unsent(struct load *l, struct stretch *s)
{
    while (next_due_ns(l, s, UINT64_MAX) != UINT64_MAX) {
        s->stats->errors[LOAD_ERROR_UNSENT]++;
        advance(l, s);
    }
}

static void record(struct load *l, struct stretch *s, const struct completion *c)
{
    static const enum load_error errors[] = {
        [OUTCOME_ANSWERED] = LOAD_ERROR_CODE,   [OUTCOME_CONNECTION] = LOAD_ERROR_CONNECTION,
        [OUTCOME_TIMEOUT] = LOAD_ERROR_TIMEOUT, [OUTCOME_MALFORMED] = LOAD_ERROR_MALFORMED,
        [OUTCOME_LOST] = LOAD_ERROR_LOST,
    };
    l->idle[l->n_idle++] = c->lane;
    if (c->at_ns > s->last_ns)
        s->last_ns = c->at_ns;
    uint64_t latency_ns = c->at_ns - l->timed_from_ns[c->lane];
    if (c->outcome != OUTCOME_ANSWERED || c->code != s->messages->expected_code) {
        s->stats->errors[errors[c->outcome]]++;
        if (c->outcome == OUTCOME_ANSWERED)
            histogram_record(&s->stats->refused_ns, latency_ns);
        return;
    }
    histogram_record(&s->stats->latency_ns, latency_ns);
    for (int stage = 0; stage < N_STAGES && c->stages; stage++)
        histogram_record(&s->stats->stages[stage], c->stages[stage]);
}

static void receive(struct load *l, struct stretch *s, uint64_t until_ns)
{
    const struct completion *done = NULL;
    size_t n = l->transport.ops->poll(l->transport.self, until_ns, &done);
    for (size_t i = 0; i < n; i++)
        record(l, s, &done[i]);
}

static struct stretch stretch_of(const struct load *l, struct load_span span)
{
    uint64_t start_ns = now_of(l);
    struct stretch s = {.start_ns = start_ns,
                        .end_ns = start_ns + span.duration_ns,
                        .give_up_ns = UINT64_MAX,
                        .n_left = span.n_queries,
                        .last_ns = start_ns + span.duration_ns};
    if (l->settings.mode == LOAD_OPEN) {
        uint64_t queries_ns = (uint64_t)((double)span.n_queries * 1e9 / l->settings.rate);
        uint64_t whole_ns = queries_ns > span.duration_ns ? queries_ns : span.duration_ns;
        s.give_up_ns = start_ns + whole_ns + l->settings.overrun_ns;
    }
    return s;
}

void load_run(struct load *l, struct load_messages *messages, struct load_span span, struct load_stats *stats)
{
    struct stretch s = stretch_of(l, span);
    s.messages = messages;
    s.stats = stats;
    if (l->settings.mode == LOAD_OPEN)
        arrivals_restart(&l->arrivals);
    for (;;) {
        uint64_t due_ns = send_due(l, &s);
        if (due_ns == UINT64_MAX && l->n_idle == l->transport.n_lanes)
            break;
        if (due_ns != UINT64_MAX && now_of(l) > s.give_up_ns) {
            count_unsent(l, &s);
            due_ns = UINT64_MAX;
        }
        receive(l, &s, l->n_idle ? due_ns : UINT64_MAX);
    }
    stats->elapsed_ns += s.last_ns - s.start_ns;
}
