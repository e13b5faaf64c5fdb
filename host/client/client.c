#include "client/client.h"
#include "base/clock.h"
#include "base/error.h"
#include "client/incoming.h"
#include "client/outgoing.h"
#include "client/pending.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    DEFAULT_TIMEOUT_US = 100000,
    DEFAULT_IN_FLIGHT = 1024,
    MAX_IN_FLIGHT = 1 << 20,
    MAX_MESSAGE_BYTES = WIRE_MAX_BYTES - WIRE_HEADER_BYTES,
};

static_assert((int)COLLIDE_ANSWER_FAILED == WIRE_FAILED && (int)COLLIDE_ANSWER_LOST >= N_WIRE_CODES,
              "answers carry the wire's codes");

struct collide_client {
    struct channel *channel; /* owned */
    struct wire_key key;
    uint64_t timeout_ns;
    uint32_t n_retries;
    uint8_t *messages; /* (n_slots, MAX_MESSAGE_BYTES), those that may be asked again; NULL: none are */
    struct pending pending;
    struct outgoing out;
    struct incoming in;
};

static enum collide_status options_check(const struct collide_client_options *o, struct collide_error *err)
{
    if (o->flags & ~(unsigned)COLLIDE_CLIENT_SPIN)
        return error_set(err, COLLIDE_INVALID, "a client's options have unknown flags: 0x%x", o->flags);
    if (o->max_in_flight > MAX_IN_FLIGHT)
        return error_set(err, COLLIDE_INVALID, "a client can have up to %d requests in flight, not %u",
                         MAX_IN_FLIGHT, o->max_in_flight);
    return COLLIDE_OK;
}

static enum collide_status create_parts(struct collide_client *c, const struct collide_client_options *o,
                                        struct collide_error *err)
{
    uint64_t first_number;
    uint32_t n_slots = o->max_in_flight ? o->max_in_flight : DEFAULT_IN_FLIGHT;
    if (getrandom(&first_number, sizeof first_number, 0) != sizeof first_number)
        return error_set(err, COLLIDE_IO, "the system gives no random numbers");
    if (o->n_retries && !(c->messages = malloc((size_t)n_slots * MAX_MESSAGE_BYTES)))
        return error_no_memory(err, "requests that may be asked again");
    enum collide_status status = pending_create(&c->pending, n_slots, first_number, err);
    if (status == COLLIDE_OK)
        status = incoming_create(&c->in, c->channel, o->key ? &c->key : NULL, err);
    return status;
}

enum collide_status client_create_on(struct channel *channel, const struct collide_client_options *options,
                                     struct collide_client **out, struct collide_error *err)
{
    struct collide_client *c = calloc(1, sizeof *c);
    if (!c) {
        channel->make->destroy(channel);
        return error_no_memory(err, "a client");
    }
    c->channel = channel;
    if (options->key)
        c->key = (struct wire_key){{load_le64(options->key), load_le64(options->key + 8)}};
    c->timeout_ns = 1000 * (uint64_t)(options->timeout_us ? options->timeout_us : DEFAULT_TIMEOUT_US);
    c->n_retries = options->n_retries;
    c->out = (struct outgoing){.channel = channel,
                               .key = options->key ? &c->key : NULL,
                               .max_messages = options->requests_per_datagram ? options->requests_per_datagram
                                                                              : WIRE_MAX_MESSAGES};
    enum collide_status status = options_check(options, err);
    if (status == COLLIDE_OK)
        status = create_parts(c, options, err);
    if (status == COLLIDE_OK)
        *out = c;
    else
        collide_client_destroy(c);
    return status;
}

enum collide_status collide_client_create(const struct collide_client_options *options,
                                          struct collide_client **out, struct collide_error *err)
{
    enum channel_wait wait = options->flags & COLLIDE_CLIENT_SPIN ? CHANNEL_SPIN : CHANNEL_SLEEP;
    const char *url = options->url ? options->url : "";
    struct channel *channel = NULL;
    enum collide_status status;
    if (strncmp(url, "udp://", 6) == 0)
        status = channel_udp_create(url + 6, wait, &channel, err);
    else if (strncmp(url, "shm://", 6) == 0)
        status = channel_shm_create(url + 6, wait, &channel, err);
    else
        status = error_set(err, COLLIDE_INVALID,
                           "a server's address is udp://HOST:PORT or shm://NAME, not \"%s\"", url);
    return status == COLLIDE_OK ? client_create_on(channel, options, out, err) : status;
}

void collide_client_destroy(struct collide_client *c)
{
    if (!c)
        return;
    incoming_destroy(&c->in);
    pending_destroy(&c->pending);
    free(c->messages);
    c->channel->make->destroy(c->channel);
    free(c);
}

const char *collide_answer_name(enum collide_answer_code code)
{
    return code == COLLIDE_ANSWER_LOST ? "lost" : wire_code_name((enum wire_code)code);
}

static uint8_t *kept_message(const struct collide_client *c, const struct pending_request *r)
{
    return c->messages + pending_slot(&c->pending, r) * MAX_MESSAGE_BYTES;
}

enum collide_status collide_client_submit(struct collide_client *c, const struct collide_request *request,
                                          uint64_t cookie, struct collide_error *err)
{
    struct outgoing_request o;
    if (c->pending.n == c->pending.n_slots)
        return error_set(err, COLLIDE_BUSY, "%u requests are in flight: receive answers first", c->pending.n);
    if (outgoing_is_full(&c->out, c->pending.n))
        return error_set(err, COLLIDE_BUSY, "the channel is full: receive answers first");
    uint64_t now_ns = clock_now_ns();
    enum collide_status status = outgoing_translate(request, &o, err);
    if (status != COLLIDE_OK)
        return status;
    o.fields.id = pending_next_id(&c->pending);
    status = outgoing_put(&c->out, &o, err);
    if (status != COLLIDE_OK)
        return status;
    struct pending_request *r = pending_add(&c->pending, now_ns + c->timeout_ns);
    size_t n_message_bytes;
    const uint8_t *message = outgoing_last(&c->out, &n_message_bytes);
    r->cookie = cookie;
    r->submitted_ns = now_ns;
    r->n_askings = 1;
    r->n_results = o.n_results;
    r->n_message_bytes = (uint16_t)n_message_bytes;
    r->n_reply_bytes = (uint16_t)o.n_reply_bytes;
    r->kind = o.fields.kind;
    if (c->messages)
        memcpy(kept_message(c, r), message, n_message_bytes);
    status = outgoing_send_if_full(&c->out, err);
    if (status != COLLIDE_OK)
        pending_remove(&c->pending, r);
    return status;
}

enum collide_status collide_client_flush(struct collide_client *c, struct collide_error *err)
{
    return outgoing_flush(&c->out, err);
}

static void answer_begin(const struct collide_client *c, const struct pending_request *r,
                         struct collide_answer *out)
{
    *out = (struct collide_answer){
        .cookie = r->cookie, .n_askings = r->n_askings, .latency_ns = c->in.now_ns - r->submitted_ns};
}

static bool is_answer_to(const struct wire_response *response, const struct pending_request *r)
{
    if (response->code != WIRE_OK)
        return true;
    return response->kind == r->kind &&
           (r->kind == WIRE_TOPK ? response->n_results <= r->n_results : response->n_results == r->n_results);
}

/* Answers out of the datagram in hand; those to what is not pending (any more) are passed over. */
static size_t take_answers(struct collide_client *c, struct collide_answer *out, size_t max)
{
    struct wire_response response;
    size_t n = 0;
    while (n < max && incoming_next(&c->in, &response)) {
        struct pending_request *r = pending_find(&c->pending, response.id);
        if (!r || !is_answer_to(&response, r))
            continue;
        answer_begin(c, r, &out[n]);
        out[n].code =
            response.code < N_WIRE_CODES ? (enum collide_answer_code)response.code : COLLIDE_ANSWER_FAILED;
        out[n].n_unknown = response.n_unknown;
        out[n].times = (struct collide_times){.wait_ns = response.times.wait_ns,
                                              .read_ns = response.times.read_ns,
                                              .score_ns = response.times.score_ns,
                                              .n_together = response.times.n_together};
        incoming_results(&c->in, &response, &out[n]);
        pending_remove(&c->pending, r);
        c->in.met_other_version = false;
        n++;
    }
    return n;
}

/* One that cannot be sent counts as asked: it is as good as lost on its way. */
static void ask_again(struct collide_client *c, struct pending_request *r)
{
    const struct outgoing_request again = {.message = kept_message(c, r),
                                           .n_message_bytes = r->n_message_bytes,
                                           .n_reply_bytes = r->n_reply_bytes};
    if (outgoing_put(&c->out, &again, NULL) == COLLIDE_OK)
        (void)outgoing_send_if_full(&c->out, NULL);
    r->n_askings++;
    pending_postpone(&c->pending, r, c->in.now_ns + c->timeout_ns);
}

/* Asks again for what is due, or gives it up. */
static size_t take_due(struct collide_client *c, struct collide_answer *out, size_t max)
{
    size_t n = 0;
    struct pending_request *r;
    while (n < max && (r = pending_first(&c->pending)) && r->due_ns <= c->in.now_ns) {
        if (r->n_askings <= c->n_retries) {
            ask_again(c, r);
            continue;
        }
        answer_begin(c, r, &out[n]);
        out[n++].code = c->in.met_other_version ? COLLIDE_ANSWER_WRONG_VERSION : COLLIDE_ANSWER_LOST;
        pending_remove(&c->pending, r);
    }
    return n;
}

/* Until when to wait for a datagram; 0: not at all. */
static uint64_t wait_end(const struct collide_client *c, uint64_t give_up_ns)
{
    const struct pending_request *first = pending_first(&c->pending);
    if (!first)
        return 0;
    return first->due_ns < give_up_ns ? first->due_ns : give_up_ns;
}

static void give_up_all(struct collide_client *c)
{
    struct pending_request *r;
    while ((r = pending_first(&c->pending)))
        pending_remove(&c->pending, r);
}

/* Receives until the first answers have come, and all that came with them, or for wait_ns (UINT64_MAX: for
 * ever). */
static enum collide_status receive_for(struct collide_client *c, uint64_t wait_ns, struct collide_answer *out,
                                       size_t max, size_t *n_out, struct collide_error *err)
{
    size_t n = take_due(c, out, max); /* a steady stream of answers must not put them off */
    enum collide_status status = outgoing_flush(&c->out, err);
    uint64_t give_up_ns = wait_ns == 0 || wait_ns == UINT64_MAX ? wait_ns : clock_now_ns() + wait_ns;
    bool got = true;
    incoming_reset(&c->in);
    while (status == COLLIDE_OK && n < max) {
        n += take_answers(c, out + n, max - n);
        if (n == max || c->in.datagram.n_left)
            break;
        status = incoming_receive(&c->in, n ? 0 : wait_end(c, give_up_ns), &got, err);
        if (status == COLLIDE_OK && got)
            outgoing_answered(&c->out);
        if (status != COLLIDE_OK || got)
            continue;
        n += take_due(c, out + n, max - n);
        status = outgoing_flush(&c->out, err);
        if (n || !c->pending.n || c->in.now_ns >= give_up_ns)
            break;
    }
    *n_out = n;
    if (n)
        return COLLIDE_OK;
    if (status == COLLIDE_IO)
        give_up_all(c);
    return status;
}

enum collide_status collide_client_receive(struct collide_client *c, uint32_t wait_us,
                                           struct collide_answer *answers, size_t max, size_t *n,
                                           struct collide_error *err)
{
    return receive_for(c, 1000 * (uint64_t)wait_us, answers, max, n, err);
}

enum collide_status collide_client_ask(struct collide_client *c, const struct collide_request *request,
                                       struct collide_answer *answer, struct collide_error *err)
{
    size_t n = 0;
    if (c->pending.n)
        return error_set(err, COLLIDE_INVALID, "other requests are in flight: receive their answers first");
    enum collide_status status = collide_client_submit(c, request, 0, err);
    if (status == COLLIDE_BUSY) { /* late answers take up the channel: pass over them */
        status = receive_for(c, 0, answer, 1, &n, err);
        if (status == COLLIDE_OK)
            status = collide_client_submit(c, request, 0, err);
    }
    while (status == COLLIDE_OK && n == 0)
        status = receive_for(c, UINT64_MAX, answer, 1, &n, err);
    return status;
}
