#include "client/loop_channel.h"
#include "base/clock.h"
#include "base/error.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t now_ns = 1000000000;
static unsigned n_clock_reads;

uint64_t __wrap_clock_now_ns(void); /* what the linker makes of the client's calls */

uint64_t __wrap_clock_now_ns(void)
{
    n_clock_reads++;
    return ++now_ns;
}

unsigned loop_clock_reads(void)
{
    return n_clock_reads;
}

void loop_clock_advance(uint64_t ns)
{
    now_ns += ns;
}

static bool happens(struct loop_channel *c, unsigned percent)
{
    return rng_below(&c->rng, 100) < percent;
}

static void deliver(struct loop_channel *c, const uint8_t *bytes, size_t n_bytes)
{
    assert(c->n_replies < LOOP_MAX_REPLIES);
    struct loop_reply *r = &c->replies[c->n_replies++];
    r->ready_ns = now_ns + c->delay_ns + (c->jitter_ns ? rng_below(&c->rng, c->jitter_ns) : 0);
    r->n_bytes = n_bytes;
    memcpy(r->bytes, bytes, n_bytes);
    if (happens(c, c->corrupt_percent))
        r->bytes[rng_below(&c->rng, n_bytes)] ^= (uint8_t)(1u << rng_below(&c->rng, 8));
}

static void answer_request(struct loop_channel *c, const struct wire_request *r, struct wire_writer *w)
{
    static const struct wire_times times = {1, 2, 3, 4, 5};
    uint64_t hits[WIRE_MAX_BYTES];
    float scores[WIRE_MAX_BYTES], of_history = r->flags & WIRE_HAS_USER ? (float)r->user : 0;
    struct wire_response_fields f = {.id = r->id, .kind = r->kind, .flags = r->flags, .code = c->code};
    for (uint32_t i = 0; i < r->history.n; i++)
        of_history += (r->weights ? wire_weight(r, i) : 1) * (float)wire_id(&r->history, i);
    f.n_results = r->kind == WIRE_SCORE ? r->items.n : r->k;
    for (size_t i = 0; i < f.n_results; i++) {
        uint64_t item = r->kind == WIRE_SCORE ? wire_id(&r->items, i) : f.n_results - i;
        hits[i] = item;
        scores[i] = of_history + 0.5f * (float)item;
        f.n_unknown += item >= 1000;
    }
    f.n_results = c->code == WIRE_OK ? f.n_results - c->n_results_short : 0;
    f.times = r->flags & WIRE_TIMES ? &times : NULL;
    f.hits = r->kind == WIRE_TOPK ? hits : NULL;
    f.scores = scores;
    if (wire_put_response(w, &f) != WIRE_OK)
        wire_put_response(
            w, &(struct wire_response_fields){.id = r->id, .kind = r->kind, .code = WIRE_TOO_LARGE});
}

static void serve(struct loop_channel *c, const uint8_t *bytes, size_t n_bytes)
{
    uint8_t reply[WIRE_MAX_BYTES];
    struct wire_reader reader;
    struct wire_request r;
    struct wire_writer w;
    enum wire_code code;
    wire_begin(&w, reply, sizeof reply, WIRE_RESPONSES);
    if (c->speaks_version_2)
        wire_put_response(&w, &(struct wire_response_fields){.code = WIRE_WRONG_VERSION});
    else if (wire_open(bytes, n_bytes, WIRE_REQUESTS, c->key, &reader) == WIRE_ACCEPTED)
        while (wire_next_request(&reader, &r, &code)) {
            assert(code == WIRE_OK);
            c->n_requests++;
            c->last_id = r.id;
            answer_request(c, &r, &w);
        }
    size_t n_reply_bytes = wire_finish(&w, c->key);
    if (n_reply_bytes == 0 || happens(c, c->drop_percent))
        return;
    deliver(c, reply, n_reply_bytes);
    if (happens(c, c->duplicate_percent))
        deliver(c, reply, n_reply_bytes);
}

static uint8_t *reserve(struct channel *channel)
{
    struct loop_channel *c = (struct loop_channel *)channel;
    return c->n_replies < (c->max_unanswered ? c->max_unanswered : LOOP_MAX_REPLIES / 2) ? c->room : NULL;
}

static enum collide_status send_datagram(struct channel *channel, size_t n_bytes, struct collide_error *err)
{
    struct loop_channel *c = (struct loop_channel *)channel;
    if (c->is_gone)
        return error_set(err, COLLIDE_IO, "gone");
    c->n_datagrams++;
    if (c->n_to_drop)
        c->n_to_drop--;
    else if (!happens(c, c->drop_percent))
        serve(c, c->room, n_bytes);
    return COLLIDE_OK;
}

static enum collide_status flush(struct channel *channel, struct collide_error *err)
{
    struct loop_channel *c = (struct loop_channel *)channel;
    (void)err;
    c->n_flushes++;
    return COLLIDE_OK;
}

static struct loop_reply *first_ready(struct loop_channel *c)
{
    struct loop_reply *first = c->n_replies ? &c->replies[0] : NULL;
    for (size_t i = 1; i < c->n_replies; i++)
        if (c->replies[i].ready_ns < first->ready_ns)
            first = &c->replies[i];
    return first;
}

static enum collide_status receive(struct channel *channel, uint64_t until_ns, const uint8_t **bytes,
                                   size_t *n_bytes, struct collide_error *err)
{
    struct loop_channel *c = (struct loop_channel *)channel;
    struct loop_reply *r = first_ready(c);
    uint64_t end_ns = until_ns > now_ns ? until_ns : now_ns;
    *bytes = NULL;
    if (c->is_gone)
        return error_set(err, COLLIDE_IO, "gone");
    if (!r || r->ready_ns > end_ns) {
        assert(end_ns < UINT64_MAX); /* else it would wait forever */
        now_ns = end_ns;
        return COLLIDE_OK;
    }
    now_ns = r->ready_ns > now_ns ? r->ready_ns : now_ns;
    memcpy(c->received, r->bytes, r->n_bytes);
    *bytes = c->received;
    *n_bytes = r->n_bytes;
    size_t n_behind = (size_t)(c->replies + --c->n_replies - r);
    memmove(r, r + 1, n_behind * sizeof *r); /* those that are ready at one time stay in their order */
    return COLLIDE_OK;
}

static void destroy(struct channel *channel)
{
    free(channel);
}

struct loop_channel *loop_channel_create(uint64_t seed)
{
    static const struct channel_make make = {reserve, send_datagram, flush, receive, destroy};
    struct loop_channel *c = calloc(1, sizeof *c);
    assert(c);
    c->channel.make = &make;
    c->rng = rng_seeded(seed, 0);
    return c;
}
