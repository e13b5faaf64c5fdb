/* The datagram protocol of docs/WIRE.md: bytes to fields and back, for every transport and both ends. Pure
 * translation: no I/O, no allocation; any bytes may come in.
 *
 * A datagram is a header and messages, requests or responses, one after the other. All is little-endian;
 * every message is a multiple of 8 bytes long, and ids lie at multiples of 4 in the datagram, so that devices
 * can read them where they are. */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "base/half.h"
#include "wire/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_VERSION = 1,
    WIRE_MAX_BYTES = 1448,    /* of a datagram: what Ethernet's 1,500 leave beside IPv6 and UDP */
    WIRE_HEADER_BYTES = 24,   /* of a datagram's header */
    WIRE_REQUEST_BYTES = 32,  /* of a request's fixed part */
    WIRE_RESPONSE_BYTES = 24, /* of a response's */
    WIRE_TIMES_BYTES = 24,    /* of a response's stage times, where asked for */
    WIRE_MAX_MESSAGES = (WIRE_MAX_BYTES - WIRE_HEADER_BYTES) / WIRE_RESPONSE_BYTES,
};

enum wire_side { WIRE_REQUESTS, WIRE_RESPONSES };

enum wire_kind {
    WIRE_SCORE = 1, /* scores of candidates */
    WIRE_TOPK = 2,  /* the best of all items; `items` are those to leave out */
    WIRE_PING = 3,  /* answered without scoring */
};

enum wire_flags {
    WIRE_HAS_USER = 1,
    WIRE_WEIGHTED = 2,      /* each id of the history has a weight */
    WIRE_IDS_64 = 4,        /* ids take 8 bytes, else 4; of a response: of its hits */
    WIRE_SCORES_F16 = 8,    /* scores are binary16, else binary32 */
    WIRE_EXCLUDE_SEEN = 16, /* top-k: leave out what the history holds */
    WIRE_TIMES = 32,        /* the response tells its stage times */
    WIRE_ALL_FLAGS = 63,
};

/* What became of a request. */
enum wire_code {
    WIRE_OK = 0,
    WIRE_MALFORMED = 1,     /* counts and lengths that do not go together, unknown flags or kind */
    WIRE_TOO_LARGE = 2,     /* it, or its answer, does not fit a datagram; or over a limit of the service */
    WIRE_WRONG_VERSION = 3, /* of the datagram; the answer's request id is 0 */
    WIRE_UNKNOWN_MODEL = 4,
    WIRE_INVALID = 5,     /* this model cannot answer it, such as a user alone where none are known */
    WIRE_UNSUPPORTED = 6, /* such as hits whose ids are strings */
    WIRE_EXPIRED = 7,     /* its deadline had passed before it was scored */
    WIRE_BUSY = 8,        /* the model is being loaded, or memory has run out: try again later */
    WIRE_FAILED = 9,      /* the device failed */
    N_WIRE_CODES
};

/* A short lower-case name such as "too_large"; "unknown" beyond the codes. Static. */
const char *wire_code_name(enum wire_code code);

/* A shared secret for SipHash-2-4 tags (Aumasson & Bernstein 2012), as two little-endian words. */
struct wire_key {
    uint64_t words[2];
};

/* Ids of a message, in its datagram. NULL: none. */
struct wire_ids {
    const uint8_t *bytes; /* at a multiple of 4 in the datagram */
    uint32_t n;
    uint32_t id_bytes; /* 4 or 8 */
};

struct wire_request {
    uint64_t id; /* chosen by the client; its answer carries it */
    uint64_t user;
    uint32_t deadline_us; /* from its arrival; 0: none */
    uint16_t model;       /* its number; 0: the first */
    uint16_t k;
    uint8_t kind, flags;
    struct wire_ids history, items;
    const uint8_t *weights; /* (history.n) binary32; NULL: all 1 */
};

/* Where a request's time went, in ns: since its datagram arrived, waiting; reading it and its neighbours;
 * scoring them; and how many requests were scored together. */
struct wire_times {
    uint64_t arrived_ns; /* the server's monotonic clock */
    uint32_t wait_ns, read_ns, score_ns;
    uint32_t n_together;
};

struct wire_response {
    uint64_t id;
    uint32_t n_unknown; /* ids that the model does not know */
    uint16_t n_results;
    uint8_t kind, flags, code;
    struct wire_times times; /* WIRE_TIMES */
    struct wire_ids hits;    /* WIRE_TOPK */
    const uint8_t *scores;   /* (n_results), binary32 or WIRE_SCORES_F16 */
};

static inline float wire_f32(const uint8_t *bytes)
{
    uint32_t bits = load_le32(bytes);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t wire_id(const struct wire_ids *ids, size_t i)
{
    return ids->id_bytes == 8 ? load_le64(ids->bytes + 8 * i) : load_le32(ids->bytes + 4 * i);
}

static inline float wire_weight(const struct wire_request *r, size_t i)
{
    return wire_f32(r->weights + 4 * i);
}

static inline float wire_score(const struct wire_response *r, size_t i)
{
    return r->flags & WIRE_SCORES_F16 ? half_to_float(load_le16(r->scores + 2 * i))
                                      : wire_f32(r->scores + 4 * i);
}

struct wire_reader {
    const uint8_t *at, *end;
    unsigned n_left; /* messages */
    bool is_cut;     /* the datagram is too long: what lies behind WIRE_MAX_BYTES is not looked at */
};

/* Why a datagram is dropped, or that it is not. */
enum wire_refusal {
    WIRE_ACCEPTED,
    WIRE_NOT_OURS,      /* too short, no magic, the wrong side's, or a header that contradicts itself */
    WIRE_OTHER_VERSION, /* answer WIRE_WRONG_VERSION if it has room for that answer */
    WIRE_BAD_TAG,       /* none where one is due, or the wrong one */
};

/* Opens a datagram. key NULL: tags are not looked at. */
enum wire_refusal wire_open(const uint8_t *bytes, size_t n_bytes, enum wire_side side,
                            const struct wire_key *key, struct wire_reader *out);

/* The next message: false when there is none left. Its fields borrow from the datagram. Of one that is wrong,
 * *code says why; id, kind and flags are as far as they could be read. Behind a message whose length cannot
 * be trusted nothing more is read. Of one datagram there are at most WIRE_MAX_MESSAGES. Each byte of
 * fields is read once: memory that others may write to is fine. */
bool wire_next_request(struct wire_reader *r, struct wire_request *out, enum wire_code *code);
bool wire_next_response(struct wire_reader *r, struct wire_response *out, enum wire_code *code);

struct wire_writer {
    uint8_t *bytes; /* (capacity) */
    size_t n_bytes, capacity;
    unsigned n_messages;
    enum wire_side side;
};

/* What to write as a request; arrays in the host's order. */
struct wire_request_fields {
    uint64_t id, user;
    uint32_t deadline_us;
    uint16_t model, k;
    uint8_t kind, flags; /* WIRE_IDS_64 and WIRE_WEIGHTED are set as the arrays need */
    const uint64_t *history, *items;
    const float *weights; /* (n_history) or NULL */
    size_t n_history, n_items;
};

/* What to write as a response. */
struct wire_response_fields {
    uint64_t id;
    uint32_t n_unknown;
    uint8_t kind, flags, code;
    const struct wire_times *times; /* WIRE_TIMES, else NULL */
    const uint64_t *hits;           /* (n_results), WIRE_TOPK; else NULL */
    const float *scores;            /* (n_results) */
    size_t n_results;
};

/* capacity: at least WIRE_HEADER_BYTES; at most WIRE_MAX_BYTES of it are used. */
void wire_begin(struct wire_writer *w, uint8_t *bytes, size_t capacity, enum wire_side side);

/* Adds a message, or nothing and WIRE_TOO_LARGE. What the fields point to must not overlap the writer's free
 * room. */
enum wire_code wire_put_request(struct wire_writer *w, const struct wire_request_fields *fields);
enum wire_code wire_put_response(struct wire_writer *w, const struct wire_response_fields *fields);

/* The same, of a message that was written before. */
enum wire_code wire_put_copy(struct wire_writer *w, const uint8_t *message, size_t n_bytes);

/* Bytes that a response with these fields takes. */
size_t wire_response_bytes(const struct wire_response_fields *fields);

/* Completes the header; the datagram's bytes, 0 if there is no message in it. key NULL: no tag. */
size_t wire_finish(struct wire_writer *w, const struct wire_key *key);

#endif
