#include "wire_transport.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static const uint64_t LONGEST_WAIT_NS = 100000000;

struct lane {
    const struct collide_request *request; /* in flight, or waiting; NULL: idle */
    uint32_t generation;                   /* of its requests: a late answer belongs to an earlier one */
    uint32_t stages[N_STAGES];
};

struct wire_transport {
    struct collide_client *client;
    unsigned n_lanes;
    struct lane *lanes;             /* (n_lanes) */
    struct collide_answer *answers; /* (n_lanes) */
    struct completion *done;        /* (n_lanes) */
    size_t n_done;
    /* (n_lanes) The first n_waiting are lanes whose requests the channel had no room for. */
    unsigned *waiting;
    unsigned n_waiting;
    unsigned n_busy; /* lanes with a request */
    enum channel_wait wait;
    uint64_t n_retries;
};

enum collide_status wire_transport_create(struct collide_client *client, unsigned n_lanes,
                                          enum channel_wait wait, struct wire_transport **out,
                                          struct collide_error *err)
{
    struct wire_transport *w = calloc(1, sizeof *w);
    if (!w) {
        collide_client_destroy(client);
        return error_no_memory(err, "the load's transport");
    }
    *w = (struct wire_transport){.client = client,
                                 .n_lanes = n_lanes,
                                 .wait = wait,
                                 .lanes = calloc(n_lanes, sizeof *w->lanes),
                                 .answers = calloc(n_lanes, sizeof *w->answers),
                                 .done = calloc(n_lanes, sizeof *w->done),
                                 .waiting = calloc(n_lanes, sizeof *w->waiting)};
    if (!w->lanes || !w->answers || !w->done || !w->waiting) {
        wire_transport_destroy(w);
        return error_no_memory(err, "the load's lanes");
    }
    /* By default the kernel may let a sleeper lie 50 us longer. */
    if (wait == CHANNEL_SLEEP)
        prctl(PR_SET_TIMERSLACK, 1);
    *out = w;
    return COLLIDE_OK;
}

void wire_transport_destroy(struct wire_transport *w)
{
    if (!w)
        return;
    free(w->waiting);
    free(w->done);
    free(w->answers);
    free(w->lanes);
    collide_client_destroy(w->client);
    free(w);
}

static uint64_t wire_now_ns(void *self)
{
    (void)self;
    return clock_now_ns();
}

static struct completion *complete(struct wire_transport *w, unsigned lane, enum outcome outcome)
{
    struct completion *c = &w->done[w->n_done++];
    *c = (struct completion){.lane = lane, .outcome = outcome, .at_ns = clock_now_ns()};
    w->lanes[lane].request = NULL;
    w->lanes[lane].generation++;
    w->n_busy--;
    return c;
}

/* Whether there was room for the lane's request; one that cannot be sent at all is done with. */
static bool submit(struct wire_transport *w, unsigned lane)
{
    const struct lane *l = &w->lanes[lane];
    uint64_t cookie = (uint64_t)l->generation << 32 | lane;
    enum collide_status status = collide_client_submit(w->client, l->request, cookie, NULL);
    if (status != COLLIDE_OK && status != COLLIDE_BUSY)
        complete(w, lane, OUTCOME_CONNECTION);
    return status != COLLIDE_BUSY;
}

static void wire_send(void *self, unsigned lane, const struct message *message)
{
    struct wire_transport *w = self;
    w->lanes[lane].request = message->bytes;
    w->n_busy++;
    if (w->n_waiting > 0 || !submit(w, lane))
        w->waiting[w->n_waiting++] = lane;
}

static void submit_waiting(struct wire_transport *w)
{
    unsigned n = 0;
    while (n < w->n_waiting && submit(w, w->waiting[n]))
        n++;
    w->n_waiting -= n;
    for (unsigned i = 0; i < w->n_waiting && n > 0; i++)
        w->waiting[i] = w->waiting[i + n];
}

static void take_answer(struct wire_transport *w, const struct collide_answer *a)
{
    unsigned lane = (unsigned)(a->cookie & UINT32_MAX);
    struct lane *l = &w->lanes[lane];
    if (!l->request || a->cookie >> 32 != l->generation)
        return;
    bool tells_times = l->request->flags & COLLIDE_REQUEST_TIMES;
    w->n_retries += a->n_askings > 1 ? a->n_askings - 1 : 0;
    struct completion *c =
        complete(w, lane, a->code == COLLIDE_ANSWER_LOST ? OUTCOME_LOST : OUTCOME_ANSWERED);
    c->code = (int)a->code;
    if (!tells_times || a->code != COLLIDE_ANSWER_OK)
        return;
    l->stages[STAGE_WAIT_NS] = a->times.wait_ns;
    l->stages[STAGE_READ_NS] = a->times.read_ns;
    l->stages[STAGE_SCORE_NS] = a->times.score_ns;
    l->stages[STAGE_TOGETHER] = a->times.n_together;
    c->stages = l->stages;
}

static void fail_all(struct wire_transport *w)
{
    w->n_waiting = 0;
    for (unsigned lane = 0; lane < w->n_lanes; lane++)
        if (w->lanes[lane].request)
            complete(w, lane, OUTCOME_CONNECTION);
}

static uint64_t wait_ns_until(const struct wire_transport *w, uint64_t until_ns)
{
    uint64_t now_ns = clock_now_ns();
    if (until_ns <= now_ns || w->n_done > 0)
        return 0;
    return until_ns - now_ns < LONGEST_WAIT_NS ? until_ns - now_ns : LONGEST_WAIT_NS;
}

static size_t wire_poll(void *self, uint64_t until_ns, const struct completion **done)
{
    struct wire_transport *w = self;
    size_t n_answers = 0;
    uint64_t wait_ns = wait_ns_until(w, until_ns);
    if (wait_ns > 0 && w->n_busy == 0 && w->wait == CHANNEL_SLEEP) /* the client would return at once */
        nanosleep(&(struct timespec){.tv_nsec = (long)wait_ns}, NULL);
    enum collide_status status = collide_client_receive(w->client, (uint32_t)(wait_ns / 1000), w->answers,
                                                        w->n_lanes, &n_answers, NULL);
    for (size_t i = 0; i < n_answers && status == COLLIDE_OK; i++)
        take_answer(w, &w->answers[i]);
    if (status != COLLIDE_OK)
        fail_all(w);
    else if (w->n_waiting > 0)
        submit_waiting(w);
    size_t n = w->n_done;
    w->n_done = 0;
    *done = w->done;
    return n;
}

struct transport wire_transport_of(struct wire_transport *w)
{
    static const struct transport_ops ops = {.now_ns = wire_now_ns, .send = wire_send, .poll = wire_poll};
    return (struct transport){.ops = &ops, .self = w, .n_lanes = w->n_lanes};
}

uint64_t wire_transport_n_retries(const struct wire_transport *w)
{
    return w->n_retries;
}
