#include "base/cursor.h"
#include "wire/bytes.h"
#include "wire/layout.h"
#include "wire/tag.h"
#include "wire/wire.h"

static bool header_is_sound(const uint8_t header[WIRE_HEADER_BYTES], size_t n_bytes, enum wire_side side)
{
    size_t claimed = load_le16(header + HEADER_N_BYTES);
    size_t n_messages = load_le16(header + HEADER_N_MESSAGES);
    size_t message_bytes = side == WIRE_REQUESTS ? WIRE_REQUEST_BYTES : WIRE_RESPONSE_BYTES;
    if (header[HEADER_FLAGS] & ~(HEADER_TAGGED | HEADER_RESPONSES) ||
        load_le16(header + HEADER_RESERVED_16) || load_le32(header + HEADER_RESERVED_32))
        return false;
    /* Of one that is too long a receiver's buffer may have held less. */
    if (n_bytes > claimed || (n_bytes < claimed && claimed <= WIRE_MAX_BYTES))
        return false;
    return n_messages > 0 && WIRE_HEADER_BYTES + n_messages * message_bytes <= claimed;
}

enum wire_refusal wire_open(const uint8_t *bytes, size_t n_bytes, enum wire_side side,
                            const struct wire_key *key, struct wire_reader *out)
{
    uint8_t header[WIRE_HEADER_BYTES];
    if (n_bytes < sizeof header)
        return WIRE_NOT_OURS;
    snapshot(header, bytes, sizeof header);
    unsigned side_flag = side == WIRE_RESPONSES ? HEADER_RESPONSES : 0;
    if (load_le32(header + HEADER_MAGIC) != WIRE_MAGIC ||
        (header[HEADER_FLAGS] & HEADER_RESPONSES) != side_flag)
        return WIRE_NOT_OURS;
    if (header[HEADER_VERSION] != WIRE_VERSION)
        return WIRE_OTHER_VERSION;
    if (!header_is_sound(header, n_bytes, side))
        return WIRE_NOT_OURS;
    if (key && (!(header[HEADER_FLAGS] & HEADER_TAGGED) ||
                wire_tag(key, header, bytes + sizeof header, n_bytes - sizeof header) !=
                    load_le64(header + HEADER_TAG)))
        return WIRE_BAD_TAG;
    size_t n_read = n_bytes < WIRE_MAX_BYTES ? n_bytes : WIRE_MAX_BYTES;
    unsigned n_messages = load_le16(header + HEADER_N_MESSAGES);
    *out = (struct wire_reader){.at = bytes + sizeof header,
                                .end = bytes + n_read,
                                .n_left = n_messages < WIRE_MAX_MESSAGES ? n_messages : WIRE_MAX_MESSAGES,
                                .is_cut = load_le16(header + HEADER_N_BYTES) > WIRE_MAX_BYTES};
    return WIRE_ACCEPTED;
}

/* Takes the next message, its fixed part into `fixed`, zero if there is none; the rest is left in body. */
static enum wire_code take_message(struct wire_reader *r, uint8_t *fixed, size_t n_fixed, struct cursor *body)
{
    size_t n_left = (size_t)(r->end - r->at), n_bytes = 0;
    r->n_left--;
    memset(fixed, 0, n_fixed);
    if (n_left >= n_fixed) {
        snapshot(fixed, r->at, n_fixed);
        n_bytes = load_le16(fixed + MESSAGE_N_BYTES);
    }
    if (n_bytes < n_fixed || n_bytes % 8 || n_bytes > n_left) {
        r->n_left = 0;
        return r->is_cut ? WIRE_TOO_LARGE : WIRE_MALFORMED;
    }
    *body = cursor_over(r->at + n_fixed, n_bytes - n_fixed);
    r->at += n_bytes;
    bool has_trailer = r->n_left == 0 && r->at != r->end && !r->is_cut;
    return has_trailer ? WIRE_MALFORMED : WIRE_OK;
}

static struct wire_ids take_ids(struct cursor *body, uint32_t n, uint8_t flags)
{
    uint32_t id_bytes = flags & WIRE_IDS_64 ? 8 : 4;
    const uint8_t *bytes = cursor_take(body, (uint64_t)n * id_bytes);
    return (struct wire_ids){.bytes = n ? bytes : NULL, .n = n, .id_bytes = id_bytes};
}

/* Everything was there, and nothing is left but zeros that fill up 8 bytes. */
static bool ends_here(const struct cursor *body)
{
    size_t n_left = cursor_left(body);
    if (body->failed || n_left >= 8)
        return false;
    uint8_t padding = 0;
    for (size_t i = 0; i < n_left; i++)
        padding |= body->at[i];
    return padding == 0;
}

static bool request_makes_sense(const struct wire_request *r)
{
    if (r->flags & ~WIRE_ALL_FLAGS)
        return false;
    switch (r->kind) {
    case WIRE_SCORE:
        return r->k == 0 && !(r->flags & WIRE_EXCLUDE_SEEN);
    case WIRE_TOPK:
        return r->k > 0;
    case WIRE_PING:
        return r->k == 0 && r->history.n == 0 && r->items.n == 0;
    default:
        return false;
    }
}

bool wire_next_request(struct wire_reader *r, struct wire_request *out, enum wire_code *code)
{
    uint8_t fixed[WIRE_REQUEST_BYTES];
    struct cursor body = {.failed = true};
    if (r->n_left == 0)
        return false;
    *code = take_message(r, fixed, sizeof fixed, &body);
    uint8_t flags = fixed[MESSAGE_FLAGS];
    uint32_t n_history = load_le16(fixed + REQUEST_N_HISTORY);
    out->id = load_le64(fixed + MESSAGE_ID);
    out->user = load_le64(fixed + REQUEST_USER);
    out->deadline_us = load_le32(fixed + REQUEST_DEADLINE);
    out->model = load_le16(fixed + REQUEST_MODEL);
    out->k = load_le16(fixed + REQUEST_K);
    out->kind = fixed[MESSAGE_KIND];
    out->flags = flags;
    out->history = take_ids(&body, n_history, flags);
    out->weights = flags & WIRE_WEIGHTED && n_history ? cursor_take(&body, 4 * n_history) : NULL;
    out->items = take_ids(&body, load_le16(fixed + REQUEST_N_ITEMS), flags);
    if (*code == WIRE_OK && !(request_makes_sense(out) && ends_here(&body)))
        *code = WIRE_MALFORMED;
    return true;
}

static bool response_makes_sense(const struct wire_response *r, const uint8_t fixed[WIRE_RESPONSE_BYTES])
{
    bool may_have_results = r->code == WIRE_OK && (r->kind == WIRE_SCORE || r->kind == WIRE_TOPK);
    return !(r->flags & ~(WIRE_IDS_64 | WIRE_SCORES_F16 | WIRE_TIMES)) &&
           (r->n_results == 0 || may_have_results) && fixed[RESPONSE_RESERVED_8] == 0 &&
           load_le32(fixed + RESPONSE_RESERVED_32) == 0;
}

static void take_times(struct cursor *body, struct wire_times *out)
{
    const uint8_t *at = cursor_take(body, WIRE_TIMES_BYTES);
    if (!at)
        return;
    *out = (struct wire_times){.arrived_ns = load_le64(at + TIMES_ARRIVED),
                               .wait_ns = load_le32(at + TIMES_WAIT),
                               .read_ns = load_le32(at + TIMES_READ),
                               .score_ns = load_le32(at + TIMES_SCORE),
                               .n_together = load_le32(at + TIMES_N_TOGETHER)};
}

bool wire_next_response(struct wire_reader *r, struct wire_response *out, enum wire_code *code)
{
    uint8_t fixed[WIRE_RESPONSE_BYTES];
    struct cursor body = {.failed = true};
    if (r->n_left == 0)
        return false;
    *code = take_message(r, fixed, sizeof fixed, &body);
    *out = (struct wire_response){.id = load_le64(fixed + MESSAGE_ID),
                                  .n_unknown = load_le32(fixed + RESPONSE_N_UNKNOWN),
                                  .n_results = load_le16(fixed + RESPONSE_N_RESULTS),
                                  .kind = fixed[MESSAGE_KIND],
                                  .flags = fixed[MESSAGE_FLAGS],
                                  .code = fixed[RESPONSE_CODE]};
    if (out->flags & WIRE_TIMES)
        take_times(&body, &out->times);
    if (out->kind == WIRE_TOPK)
        out->hits = take_ids(&body, out->n_results, out->flags);
    out->scores = cursor_take(&body, (uint64_t)out->n_results * (out->flags & WIRE_SCORES_F16 ? 2 : 4));
    if (*code == WIRE_OK && !(response_makes_sense(out, fixed) && ends_here(&body)))
        *code = WIRE_MALFORMED;
    return true;
}

const char *wire_code_name(enum wire_code code)
{
    static const char *const names[N_WIRE_CODES] = {
        [WIRE_OK] = "ok",
        [WIRE_MALFORMED] = "malformed",
        [WIRE_TOO_LARGE] = "too_large",
        [WIRE_WRONG_VERSION] = "wrong_version",
        [WIRE_UNKNOWN_MODEL] = "unknown_model",
        [WIRE_INVALID] = "invalid",
        [WIRE_UNSUPPORTED] = "unsupported",
        [WIRE_EXPIRED] = "expired",
        [WIRE_BUSY] = "busy",
        [WIRE_FAILED] = "failed",
    };
    return (unsigned)code < N_WIRE_CODES ? names[code] : "unknown";
}
