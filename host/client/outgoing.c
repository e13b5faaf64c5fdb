#include "client/outgoing.h"
#include "base/error.h"

static enum collide_status request_flags_check(unsigned flags, struct collide_error *err)
{
    const unsigned known = COLLIDE_REQUEST_TOPK | COLLIDE_REQUEST_HAS_USER | COLLIDE_REQUEST_EXCLUDE_SEEN |
                           COLLIDE_REQUEST_SCORES_F16 | COLLIDE_REQUEST_TIMES | COLLIDE_REQUEST_PING;
    if (flags & ~known)
        return error_set(err, COLLIDE_INVALID, "a request has unknown flags: 0x%x", flags & ~known);
    if (flags & COLLIDE_REQUEST_TOPK && flags & COLLIDE_REQUEST_PING)
        return error_set(err, COLLIDE_INVALID, "a request is either a ping or for the top k");
    if (flags & COLLIDE_REQUEST_EXCLUDE_SEEN && !(flags & COLLIDE_REQUEST_TOPK))
        return error_set(err, COLLIDE_INVALID, "only a request for the top k leaves out what was seen");
    return COLLIDE_OK;
}

static uint8_t wire_flags_of(unsigned flags)
{
    return (uint8_t)((flags & COLLIDE_REQUEST_HAS_USER ? WIRE_HAS_USER : 0) |
                     (flags & COLLIDE_REQUEST_EXCLUDE_SEEN ? WIRE_EXCLUDE_SEEN : 0) |
                     (flags & COLLIDE_REQUEST_SCORES_F16 ? WIRE_SCORES_F16 : 0) |
                     (flags & COLLIDE_REQUEST_TIMES ? WIRE_TIMES : 0));
}

/* Of an answer with this many results of so many bytes. */
static size_t reply_bytes(unsigned flags, size_t n_results, size_t id_bytes)
{
    size_t score_bytes = flags & COLLIDE_REQUEST_SCORES_F16 ? 2 : 4;
    size_t times_bytes = flags & COLLIDE_REQUEST_TIMES ? WIRE_TIMES_BYTES : 0;
    return (WIRE_RESPONSE_BYTES + times_bytes + n_results * (id_bytes + score_bytes) + 7) & ~(size_t)7;
}

static enum collide_status too_large(struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID,
                     "a request or its answer is longer than a datagram of %d bytes: ask for fewer items, or "
                     "send less history",
                     WIRE_MAX_BYTES);
}

enum collide_status outgoing_translate(const struct collide_request *request, struct outgoing_request *out,
                                       struct collide_error *err)
{
    enum { MAX_RESULTS = (WIRE_MAX_BYTES - WIRE_HEADER_BYTES - WIRE_RESPONSE_BYTES) / 2 };
    unsigned flags = request->flags;
    enum collide_status status = request_flags_check(flags, err);
    if (status != COLLIDE_OK)
        return status;
    enum wire_kind kind = flags & COLLIDE_REQUEST_PING   ? WIRE_PING
                          : flags & COLLIDE_REQUEST_TOPK ? WIRE_TOPK
                                                         : WIRE_SCORE;
    size_t n_results = kind == WIRE_SCORE ? request->n_items : kind == WIRE_TOPK ? request->k : 0;
    if (kind == WIRE_TOPK && n_results == 0)
        return error_set(err, COLLIDE_INVALID, "a request for the top k needs a k of at least 1");
    /* Hits may come as 4 bytes each: only the server knows. */
    if (n_results > MAX_RESULTS ||
        WIRE_HEADER_BYTES + reply_bytes(flags, n_results, kind == WIRE_TOPK ? 4 : 0) > WIRE_MAX_BYTES)
        return too_large(err);
    out->message = NULL;
    out->n_reply_bytes = reply_bytes(flags, n_results, kind == WIRE_TOPK ? 8 : 0);
    out->n_results = (uint16_t)n_results;
    out->fields = (struct wire_request_fields){.user = flags & COLLIDE_REQUEST_HAS_USER ? request->user : 0,
                                               .deadline_us = request->deadline_us,
                                               .model = request->model,
                                               .k = kind == WIRE_TOPK ? request->k : 0,
                                               .kind = (uint8_t)kind,
                                               .flags = wire_flags_of(flags)};
    if (kind != WIRE_PING) {
        out->fields.history = request->history;
        out->fields.weights = request->weights;
        out->fields.items = request->items;
        out->fields.n_history = request->n_history;
        out->fields.n_items = request->n_items;
    }
    return COLLIDE_OK;
}

static enum collide_status send_datagram(struct outgoing *o, struct collide_error *err)
{
    size_t n_bytes = wire_finish(&o->datagram, o->key);
    o->datagram.bytes = NULL;
    o->needs_flush = true;
    o->n_unanswered++;
    return o->channel->make->send(o->channel, n_bytes, err);
}

/* A datagram that may take one more request: whether it has the room shows when that is written. */
static enum collide_status open_datagram(struct outgoing *o, size_t n_reply_bytes, struct collide_error *err)
{
    bool has_enough =
        o->datagram.bytes && o->n_reply_bytes + n_reply_bytes > WIRE_MAX_BYTES - WIRE_HEADER_BYTES;
    enum collide_status status = has_enough ? send_datagram(o, err) : COLLIDE_OK;
    if (status != COLLIDE_OK || o->datagram.bytes)
        return status;
    uint8_t *bytes = o->channel->make->reserve(o->channel);
    if (!bytes)
        return error_set(err, COLLIDE_BUSY, "the channel is full: receive answers first");
    wire_begin(&o->datagram, bytes, WIRE_MAX_BYTES, WIRE_REQUESTS);
    o->n_reply_bytes = 0;
    return COLLIDE_OK;
}

static enum wire_code write_message(struct outgoing *o, const struct outgoing_request *request)
{
    o->last_at = o->datagram.n_bytes;
    return request->message ? wire_put_copy(&o->datagram, request->message, request->n_message_bytes)
                            : wire_put_request(&o->datagram, &request->fields);
}

/* Its first request does not fit: the room stays reserved for the next. */
static enum collide_status drop_datagram(struct outgoing *o, struct collide_error *err)
{
    o->datagram.bytes = NULL;
    return too_large(err);
}

enum collide_status outgoing_put(struct outgoing *o, const struct outgoing_request *request,
                                 struct collide_error *err)
{
    enum collide_status status = open_datagram(o, request->n_reply_bytes, err);
    if (status != COLLIDE_OK)
        return status;
    if (write_message(o, request) != WIRE_OK) {
        if (o->datagram.n_messages == 0)
            return drop_datagram(o, err);
        status = send_datagram(o, err);
        if (status == COLLIDE_OK)
            status = open_datagram(o, request->n_reply_bytes, err);
        if (status != COLLIDE_OK)
            return status;
        if (write_message(o, request) != WIRE_OK)
            return drop_datagram(o, err);
    }
    o->n_reply_bytes += request->n_reply_bytes;
    return COLLIDE_OK;
}

bool outgoing_is_full(struct outgoing *o, uint32_t n_pending)
{
    size_t max = o->channel->max_in_flight;
    if (o->n_unanswered > n_pending)
        o->n_unanswered = n_pending;
    return max && o->n_unanswered + (o->datagram.bytes != NULL) >= max;
}

void outgoing_answered(struct outgoing *o)
{
    if (o->n_unanswered)
        o->n_unanswered--;
}

const uint8_t *outgoing_last(const struct outgoing *o, size_t *n_bytes)
{
    *n_bytes = o->datagram.n_bytes - o->last_at;
    return o->datagram.bytes + o->last_at;
}

enum collide_status outgoing_send_if_full(struct outgoing *o, struct collide_error *err)
{
    return o->datagram.bytes && o->datagram.n_messages >= o->max_messages ? send_datagram(o, err)
                                                                          : COLLIDE_OK;
}

enum collide_status outgoing_flush(struct outgoing *o, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    if (o->datagram.bytes)
        status = send_datagram(o, err);
    if (status != COLLIDE_OK || !o->needs_flush)
        return status;
    o->needs_flush = false;
    return o->channel->make->flush(o->channel, err);
}
