#include "wire/bytes.h"
#include "wire/layout.h"
#include "wire/tag.h"
#include "wire/wire.h"

static size_t rounded_up(size_t n_bytes)
{
    return (n_bytes + 7) & ~(size_t)7;
}

static bool any_takes_64_bits(const uint64_t *ids, size_t n)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++)
        bits |= ids[i];
    return bits >> 32 != 0;
}

static uint8_t *put_ids(uint8_t *at, const uint64_t *ids, size_t n, unsigned flags)
{
    size_t id_bytes = flags & WIRE_IDS_64 ? 8 : 4;
    if (id_bytes == 8)
        for (size_t i = 0; i < n; i++)
            store_le64(at + 8 * i, ids[i]);
    else
        for (size_t i = 0; i < n; i++)
            store_le32(at + 4 * i, (uint32_t)ids[i]);
    return at + n * id_bytes;
}

static uint8_t *put_f32(uint8_t *at, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        store_le32(at + 4 * i, bits);
    }
    return at + 4 * n;
}

static uint8_t *put_scores(uint8_t *at, const float *scores, size_t n, unsigned flags)
{
    if (!(flags & WIRE_SCORES_F16))
        return put_f32(at, scores, n);
    for (size_t i = 0; i < n; i++)
        store_le16(at + 2 * i, half_from_float(scores[i]));
    return at + 2 * n;
}

void wire_begin(struct wire_writer *w, uint8_t *bytes, size_t capacity, enum wire_side side)
{
    *w = (struct wire_writer){.bytes = bytes,
                              .n_bytes = WIRE_HEADER_BYTES,
                              .capacity = capacity < WIRE_MAX_BYTES ? capacity : WIRE_MAX_BYTES,
                              .side = side};
}

/* Room for a message, its last 8 bytes zero so that padding is; NULL if it does not fit. */
static uint8_t *next_message(struct wire_writer *w, size_t n_bytes)
{
    if (n_bytes > w->capacity - w->n_bytes)
        return NULL;
    uint8_t *at = w->bytes + w->n_bytes;
    memset(at + n_bytes - 8, 0, 8);
    w->n_bytes += n_bytes;
    w->n_messages++;
    return at;
}

/* The same, with what all messages begin with. */
static uint8_t *begin_message(struct wire_writer *w, size_t n_bytes, uint8_t kind, unsigned flags)
{
    uint8_t *at = next_message(w, n_bytes);
    if (!at)
        return NULL;
    store_le16(at + MESSAGE_N_BYTES, (uint16_t)n_bytes);
    at[MESSAGE_KIND] = kind;
    at[MESSAGE_FLAGS] = (uint8_t)flags;
    return at;
}

static unsigned request_flags(const struct wire_request_fields *f)
{
    unsigned flags = f->flags & ~(unsigned)(WIRE_IDS_64 | WIRE_WEIGHTED);
    if (any_takes_64_bits(f->history, f->n_history) || any_takes_64_bits(f->items, f->n_items))
        flags |= WIRE_IDS_64;
    return f->weights && f->n_history ? flags | WIRE_WEIGHTED : flags;
}

static size_t request_bytes(const struct wire_request_fields *f, unsigned flags)
{
    size_t id_bytes = flags & WIRE_IDS_64 ? 8 : 4, weight_bytes = flags & WIRE_WEIGHTED ? 4 : 0;
    return rounded_up(WIRE_REQUEST_BYTES + f->n_history * (id_bytes + weight_bytes) + f->n_items * id_bytes);
}

enum wire_code wire_put_request(struct wire_writer *w, const struct wire_request_fields *f)
{
    if (f->n_history > WIRE_MAX_BYTES || f->n_items > WIRE_MAX_BYTES)
        return WIRE_TOO_LARGE;
    unsigned flags = request_flags(f);
    size_t n_bytes = request_bytes(f, flags);
    uint8_t *at = begin_message(w, n_bytes, f->kind, flags);
    if (!at)
        return WIRE_TOO_LARGE;
    store_le16(at + REQUEST_MODEL, f->model);
    store_le16(at + REQUEST_N_HISTORY, (uint16_t)f->n_history);
    store_le64(at + MESSAGE_ID, f->id);
    store_le64(at + REQUEST_USER, f->user);
    store_le16(at + REQUEST_N_ITEMS, (uint16_t)f->n_items);
    store_le16(at + REQUEST_K, f->k);
    store_le32(at + REQUEST_DEADLINE, f->deadline_us);
    at = put_ids(at + WIRE_REQUEST_BYTES, f->history, f->n_history, flags);
    if (flags & WIRE_WEIGHTED)
        at = put_f32(at, f->weights, f->n_history);
    put_ids(at, f->items, f->n_items, flags);
    return WIRE_OK;
}

enum wire_code wire_put_copy(struct wire_writer *w, const uint8_t *message, size_t n_bytes)
{
    uint8_t *at = next_message(w, n_bytes);
    if (!at)
        return WIRE_TOO_LARGE;
    memcpy(at, message, n_bytes);
    return WIRE_OK;
}

static unsigned response_flags(const struct wire_response_fields *f)
{
    unsigned flags = f->flags & WIRE_SCORES_F16;
    if (f->hits && any_takes_64_bits(f->hits, f->n_results))
        flags |= WIRE_IDS_64;
    return f->times ? flags | WIRE_TIMES : flags;
}

static size_t response_bytes(const struct wire_response_fields *f, unsigned flags)
{
    size_t score_bytes = flags & WIRE_SCORES_F16 ? 2 : 4;
    size_t id_bytes = !f->hits ? 0 : flags & WIRE_IDS_64 ? 8 : 4;
    size_t times_bytes = flags & WIRE_TIMES ? WIRE_TIMES_BYTES : 0;
    return rounded_up(WIRE_RESPONSE_BYTES + times_bytes + f->n_results * (id_bytes + score_bytes));
}

size_t wire_response_bytes(const struct wire_response_fields *f)
{
    return response_bytes(f, response_flags(f));
}

static uint8_t *put_times(uint8_t *at, const struct wire_times *times)
{
    store_le64(at + TIMES_ARRIVED, times->arrived_ns);
    store_le32(at + TIMES_WAIT, times->wait_ns);
    store_le32(at + TIMES_READ, times->read_ns);
    store_le32(at + TIMES_SCORE, times->score_ns);
    store_le32(at + TIMES_N_TOGETHER, times->n_together);
    return at + WIRE_TIMES_BYTES;
}

enum wire_code wire_put_response(struct wire_writer *w, const struct wire_response_fields *f)
{
    if (f->n_results > WIRE_MAX_BYTES)
        return WIRE_TOO_LARGE;
    unsigned flags = response_flags(f);
    size_t n_bytes = response_bytes(f, flags);
    uint8_t *at = begin_message(w, n_bytes, f->kind, flags);
    if (!at)
        return WIRE_TOO_LARGE;
    at[RESPONSE_CODE] = f->code;
    at[RESPONSE_RESERVED_8] = 0;
    store_le16(at + RESPONSE_N_RESULTS, (uint16_t)f->n_results);
    store_le64(at + MESSAGE_ID, f->id);
    store_le32(at + RESPONSE_N_UNKNOWN, f->n_unknown);
    store_le32(at + RESPONSE_RESERVED_32, 0);
    at += WIRE_RESPONSE_BYTES;
    if (flags & WIRE_TIMES)
        at = put_times(at, f->times);
    if (f->hits)
        at = put_ids(at, f->hits, f->n_results, flags);
    put_scores(at, f->scores, f->n_results, flags);
    return WIRE_OK;
}

size_t wire_finish(struct wire_writer *w, const struct wire_key *key)
{
    uint8_t *header = w->bytes;
    if (w->n_messages == 0)
        return 0;
    store_le32(header + HEADER_MAGIC, WIRE_MAGIC);
    header[HEADER_VERSION] = WIRE_VERSION;
    header[HEADER_FLAGS] =
        (uint8_t)((key ? HEADER_TAGGED : 0) | (w->side == WIRE_RESPONSES ? HEADER_RESPONSES : 0));
    store_le16(header + HEADER_N_MESSAGES, (uint16_t)w->n_messages);
    store_le16(header + HEADER_N_BYTES, (uint16_t)w->n_bytes);
    store_le16(header + HEADER_RESERVED_16, 0);
    store_le32(header + HEADER_RESERVED_32, 0);
    store_le64(header + HEADER_TAG,
               key ? wire_tag(key, header, header + WIRE_HEADER_BYTES, w->n_bytes - WIRE_HEADER_BYTES) : 0);
    return w->n_bytes;
}
