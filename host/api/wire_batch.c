#include "api/wire_batch.h"

#include "base/error.h"

enum wire_code wire_code_of(enum collide_status status)
{
    switch (status) {
    case COLLIDE_OK:
        return WIRE_OK;
    case COLLIDE_INVALID:
    case COLLIDE_NOT_FOUND:
        return WIRE_INVALID;
    case COLLIDE_UNSUPPORTED:
        return WIRE_UNSUPPORTED;
    case COLLIDE_BUSY:
    case COLLIDE_NO_MEMORY:
        return WIRE_BUSY;
    case COLLIDE_IO:
    case COLLIDE_CORRUPT:
    case COLLIDE_DEVICE:
        break;
    }
    return WIRE_FAILED;
}

static void set_query(const struct wire_request *r, const struct wire_part *p, struct collide_query *out)
{
    /* An id's width is the message's, so the same for both lists. */
    *out = (struct collide_query){
        .user = p->flags & WIRE_HAS_USER ? &p->user : NULL,
        .history_numbers = r->history.bytes,
        .n_history = r->history.n,
        .weights = (const float *)(const void *)r->weights,
        .number_bytes = r->flags & WIRE_IDS_64 ? 8 : 4,
    };
}

static enum wire_code read_score(struct wire_batch *b, const struct wire_request *r, struct wire_part *p)
{
    set_query(r, p, &p->score);
    p->score.item_numbers = r->items.bytes;
    p->score.n_items = r->items.n;
    p->first_result = b->n_scores;
    p->n_results = (uint16_t)r->items.n;
    b->n_scores += r->items.n;
    return WIRE_OK;
}

static enum wire_code read_topk(struct wire_batch *b, const struct wire_request *r, struct wire_part *p)
{
    struct collide_id *exclude = arena_alloc(&b->arena, r->items.n, sizeof *exclude);
    if (!exclude)
        return WIRE_BUSY;
    for (size_t i = 0; i < r->items.n; i++)
        exclude[i] = collide_id_number(wire_id(&r->items, i));
    p->topk = (struct collide_topk_query){
        .k = r->k,
        .exclude = exclude,
        .n_exclude = r->items.n,
        .flags = r->flags & WIRE_EXCLUDE_SEEN ? COLLIDE_TOPK_EXCLUDE_SEEN : 0,
    };
    set_query(r, p, &p->topk.query);
    p->first_result = b->n_hits;
    p->n_results = r->k;
    b->n_hits += r->k;
    return WIRE_OK;
}

/* Whether the answer would fit a datagram, and the service's limits allow it. */
static bool is_too_large(const struct wire_request *r, const struct request_limits *limits)
{
    size_t n_results = r->kind == WIRE_TOPK ? r->k : r->items.n;
    size_t result_bytes = (r->flags & WIRE_SCORES_F16 ? 2u : 4u) + (r->kind == WIRE_TOPK ? 4u : 0u);
    size_t fixed = WIRE_HEADER_BYTES + WIRE_RESPONSE_BYTES + (r->flags & WIRE_TIMES ? WIRE_TIMES_BYTES : 0);
    return fixed + n_results * result_bytes > WIRE_MAX_BYTES || n_results > limits->max_items ||
           r->items.n > limits->max_items || r->history.n > limits->max_history;
}

static enum wire_code read_part(struct wire_batch *b, const struct wire_request *r,
                                const struct request_limits *limits, struct wire_part *p)
{
    if (r->kind == WIRE_PING)
        return WIRE_OK;
    if (is_too_large(r, limits))
        return WIRE_TOO_LARGE;
    return r->kind == WIRE_TOPK ? read_topk(b, r, p) : read_score(b, r, p);
}

static struct wire_part *add_part(struct wire_batch *b, const struct wire_request *r, enum wire_code code)
{
    struct wire_part *p = &b->parts[b->n_parts++];
    p->id = r->id;
    p->deadline_us = r->deadline_us;
    p->n_unknown = 0;
    p->model = r->model;
    p->n_results = 0;
    p->kind = r->kind;
    p->flags = r->flags;
    p->code = (uint8_t)code;
    p->user = collide_id_number(r->user);
    return p;
}

enum wire_refusal wire_batch_read(struct wire_batch *b, const uint8_t *bytes, size_t n_bytes,
                                  const struct wire_key *key, const struct request_limits *limits)
{
    struct wire_reader reader;
    struct wire_request r;
    enum wire_code code;
    enum wire_refusal refusal = wire_open(bytes, n_bytes, WIRE_REQUESTS, key, &reader);
    if (refusal == WIRE_OTHER_VERSION && !key && n_bytes >= WIRE_HEADER_BYTES + WIRE_RESPONSE_BYTES) {
        static const struct wire_request none;
        add_part(b, &none, WIRE_WRONG_VERSION);
    }
    while (refusal == WIRE_ACCEPTED && wire_next_request(&reader, &r, &code)) {
        struct wire_part *p = add_part(b, &r, code);
        if (code == WIRE_OK)
            p->code = (uint8_t)read_part(b, &r, limits, p);
    }
    b->first_part[++b->n_datagrams] = b->n_parts;
    return refusal;
}

/* A top-k answer's results, in the host's arrays. */
struct hit_list {
    uint64_t ids[WIRE_MAX_BYTES / 4];
    float scores[WIRE_MAX_BYTES / 4];
};

static void list_hits(const struct collide_hit *hits, size_t n, struct hit_list *list,
                      struct wire_response_fields *fields)
{
    for (size_t i = 0; i < n; i++) {
        list->ids[i] = hits[i].item.number;
        list->scores[i] = hits[i].score;
        if (list->ids[i] > UINT32_MAX)
            fields->flags |= WIRE_IDS_64;
    }
    fields->hits = list->ids;
    fields->scores = list->scores;
}

static void print_part(struct wire_writer *w, const struct wire_part *p, const struct wire_results *results,
                       size_t n_behind)
{
    struct hit_list list;
    struct wire_response_fields fields = {.id = p->id, .kind = p->kind, .code = p->code};
    if (p->code == WIRE_OK) {
        fields.n_unknown = p->n_unknown;
        fields.n_results = p->n_results;
        fields.flags = p->flags & (WIRE_SCORES_F16 | WIRE_TIMES);
        fields.times = p->flags & WIRE_TIMES ? results->times : NULL;
        if (p->kind == WIRE_TOPK)
            list_hits(results->hits + p->first_result, p->n_results, &list, &fields);
        else if (p->kind == WIRE_SCORE)
            fields.scores = results->scores + p->first_result;
    }
    size_t room = w->capacity < WIRE_MAX_BYTES ? w->capacity : WIRE_MAX_BYTES;
    if (w->n_bytes + wire_response_bytes(&fields) + n_behind * WIRE_RESPONSE_BYTES > room)
        fields = (struct wire_response_fields){.id = p->id, .kind = p->kind, .code = WIRE_TOO_LARGE};
    wire_put_response(w, &fields);
}

size_t wire_batch_print(const struct wire_batch *b, size_t datagram, const struct wire_results *results,
                        const struct wire_key *key, uint8_t *bytes, size_t capacity)
{
    struct wire_writer w;
    size_t begin = b->first_part[datagram], end = b->first_part[datagram + 1];
    if (begin == end)
        return 0;
    wire_begin(&w, bytes, capacity, WIRE_RESPONSES);
    for (size_t i = begin; i < end; i++)
        print_part(&w, &b->parts[i], results, end - i - 1);
    return wire_finish(&w, key);
}

void wire_batch_reset(struct wire_batch *b)
{
    arena_reset(&b->arena);
    b->n_parts = b->n_datagrams = b->n_scores = b->n_hits = 0;
}
