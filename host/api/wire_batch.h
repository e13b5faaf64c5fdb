/* The requests of a burst of datagrams (docs/WIRE.md) as queries, and their answers as datagrams: pure
 * translation, no I/O. */
#ifndef API_WIRE_BATCH_H
#define API_WIRE_BATCH_H

#include "api/request.h"
#include "wire/wire.h"

enum {
    WIRE_BATCH_DATAGRAMS = 64,
    /* A request takes its fixed part at least; a datagram that is read at all has one more answer to give. */
    WIRE_BATCH_PARTS = WIRE_BATCH_DATAGRAMS * ((WIRE_MAX_BYTES - WIRE_HEADER_BYTES) / WIRE_REQUEST_BYTES + 1),
};

/* One request, and what becomes of it. */
struct wire_part {
    uint64_t id; /* the client's */
    uint32_t deadline_us;
    uint32_t n_unknown;
    uint16_t model;
    uint16_t n_results; /* of top-k at most; then as many as there are */
    uint8_t kind, flags, code;
    struct collide_id user;
    size_t first_result; /* among the scores or the hits of all */
    union {
        struct collide_query score; /* WIRE_SCORE; ids where they came in */
        struct collide_topk_query topk;
    };
};

struct wire_batch {
    struct wire_part parts[WIRE_BATCH_PARTS];
    size_t first_part[WIRE_BATCH_DATAGRAMS + 1]; /* (n_datagrams + 1) of each datagram */
    size_t n_parts, n_datagrams;
    size_t n_scores, n_hits; /* asked for, of all parts */
    struct arena arena;      /* for lists that a top-k leaves out */
};

/* Reads one more datagram's requests, at most WIRE_BATCH_DATAGRAMS in all. Ids and weights borrow from its
 * bytes, which lie at a multiple of 4, until they are scored. A request that is wrong, or over the limits,
 * has a code and is not to be scored; of a refused datagram there are none, but of one of another version:
 * one that says so. */
enum wire_refusal wire_batch_read(struct wire_batch *b, const uint8_t *bytes, size_t n_bytes,
                                  const struct wire_key *key, const struct request_limits *limits);

/* Of all parts together, what their arrays hold; a part's begin at first_result. */
struct wire_results {
    const float *scores;            /* (n_scores) */
    const struct collide_hit *hits; /* (n_hits) */
    const struct wire_times *times;
};

/* Writes the answers to one datagram's requests over it; its bytes, 0 if there is nothing to answer. Each is
 * answered, if only with WIRE_TOO_LARGE. */
size_t wire_batch_print(const struct wire_batch *b, size_t datagram, const struct wire_results *results,
                        const struct wire_key *key, uint8_t *bytes, size_t capacity);

/* For the next burst. A batch is zeroed at first, and its arena freed at last. */
void wire_batch_reset(struct wire_batch *b);

/* The code that a request gets whose scoring ended so. */
enum wire_code wire_code_of(enum collide_status status);

#endif
