#include "echo_transport.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t LONGEST_WAIT_NS = 100000000, SWEEP_NS = 1000000;

/* A datagram's first bytes tell its lane and how many it had sent before. */
struct echo_mark {
    uint32_t lane, generation;
};

struct echo_lane {
    bool is_busy;
    uint32_t generation;
    uint64_t lost_at_ns;
};

struct echo_transport {
    struct channel *channel;
    struct echo_settings settings;
    uint64_t next_sweep_ns;
    size_t n_done;
    struct completion *done; /* (n_lanes) */
    struct echo_lane lanes[];
};

enum collide_status echo_transport_create(struct channel *channel, const struct echo_settings *settings,
                                          struct echo_transport **out, struct collide_error *err)
{
    struct echo_transport *e = calloc(1, sizeof *e + settings->n_lanes * sizeof e->lanes[0]);
    struct completion *done = calloc(settings->n_lanes, sizeof *done);
    if (!e || !done) {
        free(done);
        free(e);
        channel->make->destroy(channel);
        return error_no_memory(err, "the echo's lanes");
    }
    e->channel = channel;
    e->settings = *settings;
    e->done = done;
    *out = e;
    return COLLIDE_OK;
}

void echo_transport_destroy(struct echo_transport *e)
{
    if (!e)
        return;
    e->channel->make->destroy(e->channel);
    free(e->done);
    free(e);
}

static uint64_t echo_now_ns(void *self)
{
    (void)self;
    return clock_now_ns();
}

static void complete(struct echo_transport *e, unsigned lane, enum outcome outcome)
{
    e->done[e->n_done++] = (struct completion){.lane = lane, .outcome = outcome, .at_ns = clock_now_ns()};
    e->lanes[lane].is_busy = false;
    e->lanes[lane].generation++;
}

static void echo_send(void *self, unsigned lane, const struct message *message)
{
    struct echo_transport *e = self;
    struct echo_lane *l = &e->lanes[lane];
    const struct echo_mark mark = {lane, l->generation};
    uint8_t *bytes = e->channel->make->reserve(e->channel);
    (void)message;
    l->is_busy = true;
    l->lost_at_ns = clock_now_ns() + e->settings.timeout_ns;
    if (!bytes) {
        complete(e, lane, OUTCOME_LOST);
        return;
    }
    memset(bytes, 0, e->settings.n_bytes);
    memcpy(bytes, &mark, sizeof mark);
    if (e->channel->make->send(e->channel, e->settings.n_bytes, NULL) != COLLIDE_OK)
        complete(e, lane, OUTCOME_CONNECTION);
}

static void take_echo(struct echo_transport *e, const uint8_t *bytes, size_t n_bytes)
{
    struct echo_mark mark;
    if (n_bytes != e->settings.n_bytes)
        return;
    memcpy(&mark, bytes, sizeof mark);
    if (mark.lane < e->settings.n_lanes && e->lanes[mark.lane].is_busy &&
        e->lanes[mark.lane].generation == mark.generation)
        complete(e, mark.lane, OUTCOME_ANSWERED);
}

static void sweep_lost(struct echo_transport *e, uint64_t now_ns)
{
    for (unsigned lane = 0; lane < e->settings.n_lanes; lane++)
        if (e->lanes[lane].is_busy && now_ns >= e->lanes[lane].lost_at_ns)
            complete(e, lane, OUTCOME_LOST);
    e->next_sweep_ns = now_ns + SWEEP_NS;
}

static void fail_all(struct echo_transport *e)
{
    for (unsigned lane = 0; lane < e->settings.n_lanes; lane++)
        if (e->lanes[lane].is_busy)
            complete(e, lane, OUTCOME_CONNECTION);
}

/* When to look for what was lost, or to return. */
static uint64_t wait_until_ns(struct echo_transport *e, uint64_t until_ns)
{
    uint64_t now_ns = clock_now_ns();
    if (now_ns >= e->next_sweep_ns)
        sweep_lost(e, now_ns);
    uint64_t latest_ns = now_ns + LONGEST_WAIT_NS;
    return e->n_done > 0 ? 0 : until_ns < latest_ns ? until_ns : latest_ns;
}

static size_t echo_poll(void *self, uint64_t until_ns, const struct completion **done)
{
    struct echo_transport *e = self;
    const struct channel_make *make = e->channel->make;
    const uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    uint64_t wait_ns = wait_until_ns(e, until_ns);
    enum collide_status status = make->flush(e->channel, NULL);
    if (status == COLLIDE_OK)
        status = make->receive(e->channel, wait_ns, &bytes, &n_bytes, NULL);
    while (status == COLLIDE_OK && bytes) {
        take_echo(e, bytes, n_bytes);
        status = make->receive(e->channel, 0, &bytes, &n_bytes, NULL);
    }
    if (status != COLLIDE_OK)
        fail_all(e);
    size_t n = e->n_done;
    e->n_done = 0;
    *done = e->done;
    return n;
}

struct transport echo_transport_of(struct echo_transport *e)
{
    static const struct transport_ops ops = {.now_ns = echo_now_ns, .send = echo_send, .poll = echo_poll};
    return (struct transport){.ops = &ops, .self = e, .n_lanes = e->settings.n_lanes};
}
