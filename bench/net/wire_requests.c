#include "wire_requests.h"

#include "base/error.h"
#include "wire/wire.h"

#include <stdlib.h>

void wire_requests_free(struct wire_requests *r)
{
    free(r->ids);
    free(r->requests);
    free(r->items);
    *r = (struct wire_requests){0};
}

/* Room for n requests of n_ids each; every message is its request. */
static enum collide_status make_room(struct wire_requests *r, size_t n, size_t n_ids,
                                     struct collide_error *err)
{
    *r = (struct wire_requests){.items = calloc(n, sizeof *r->items),
                                .requests = calloc(n, sizeof *r->requests),
                                .ids = calloc(n * n_ids + 1, sizeof *r->ids),
                                .n = n};
    if (!r->items || !r->requests || !r->ids) {
        wire_requests_free(r);
        return error_no_memory(err, "the requests");
    }
    for (size_t i = 0; i < n; i++)
        r->items[i] = (struct message){&r->requests[i], sizeof r->requests[i]};
    return COLLIDE_OK;
}

enum collide_status wire_requests_random(const struct question *question, unsigned flags,
                                         struct wire_requests *out, struct collide_error *err)
{
    struct wire_requests r;
    size_t n_ids = question_n_ids(question);
    struct rng rng = question_rng(question);
    enum collide_status status = make_room(&r, question_n_requests(question), n_ids, err);
    if (status != COLLIDE_OK)
        return status;
    if (question->topk)
        flags |= COLLIDE_REQUEST_TOPK;
    if (question->n_history == 0)
        flags |= COLLIDE_REQUEST_HAS_USER;
    for (size_t i = 0; i < r.n; i++) {
        struct query query = question_draw(question, &rng, r.ids + i * n_ids);
        r.requests[i] = (struct collide_request){.flags = flags,
                                                 .k = (uint16_t)question->topk,
                                                 .user = query.user,
                                                 .history = query.history,
                                                 .items = query.items,
                                                 .n_history = question->n_history,
                                                 .n_items = question_n_items(question)};
    }
    *out = r;
    return COLLIDE_OK;
}

enum collide_status wire_requests_ping(struct wire_requests *out, struct collide_error *err)
{
    enum collide_status status = make_room(out, 1, 0, err);
    if (status == COLLIDE_OK)
        out->requests[0].flags = COLLIDE_REQUEST_PING;
    return status;
}

enum collide_status wire_requests_datagram_bytes(const struct wire_requests *r, size_t *n_bytes,
                                                 struct collide_error *err)
{
    const struct collide_request *first = &r->requests[0];
    uint8_t bytes[WIRE_MAX_BYTES] __attribute__((aligned(8)));
    struct wire_writer writer;
    const struct wire_request_fields fields = {
        .user = first->user,
        .k = first->k,
        .kind = first->flags & COLLIDE_REQUEST_TOPK ? WIRE_TOPK : WIRE_SCORE,
        .flags = first->flags & COLLIDE_REQUEST_HAS_USER ? WIRE_HAS_USER : 0,
        .history = first->history,
        .items = first->items,
        .n_history = first->n_history,
        .n_items = first->n_items};
    wire_begin(&writer, bytes, sizeof bytes, WIRE_REQUESTS);
    if (wire_put_request(&writer, &fields) != WIRE_OK)
        return error_set(err, COLLIDE_INVALID,
                         "such a request does not fit a datagram of %d bytes: ask fewer --candidates",
                         WIRE_MAX_BYTES);
    *n_bytes = wire_finish(&writer, NULL);
    return COLLIDE_OK;
}
