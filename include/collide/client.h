/* A client of collide's datagram protocol, over UDP or shared memory. Needs neither OpenCL nor a model: link
 * libcollide-client. One client is used by one thread at a time; threads take one each.
 *
 * Several requests may be in flight: submit, submit, ... , receive. Requests wait to share a datagram until
 * it is full, or until a flush or a receive. An answer that does not come within the time-out is asked for
 * again under the same request id, so that a late answer to the first asking counts; then it is given up.
 * Every asking has the same time-out: the waits do not grow. */
#ifndef COLLIDE_CLIENT_H
#define COLLIDE_CLIENT_H

#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct collide_client;

enum collide_client_flags {
    COLLIDE_CLIENT_SPIN = 1, /* wait for answers by looking again and again: the least latency, a whole CPU */
};

struct collide_client_options {
    const char *url;                /* "udp://HOST:PORT" or "shm://NAME" */
    const uint8_t *key;             /* (16) tags requests and checks the answers' tags; NULL: no tags */
    uint32_t timeout_us;            /* of one asking; 0: 100,000 */
    uint32_t n_retries;             /* askings after the first */
    uint32_t max_in_flight;         /* requests; 0: 1,024 */
    uint32_t requests_per_datagram; /* at most; 0: as many as fit */
    unsigned flags;
};

/* Returns owned. COLLIDE_IO: there is no such server. UDP has no connection, so there only a request tells.
 */
COLLIDE_API enum collide_status collide_client_create(const struct collide_client_options *options,
                                                      struct collide_client **out, struct collide_error *err);

/* What is in flight is given up. NULL is fine. */
COLLIDE_API void collide_client_destroy(struct collide_client *client);

enum collide_request_flags {
    COLLIDE_REQUEST_TOPK = 1, /* the k best of all items, leaving out `items`; else scores of `items` */
    COLLIDE_REQUEST_HAS_USER = 2,
    COLLIDE_REQUEST_EXCLUDE_SEEN = 4, /* top-k: leave out what the history holds */
    COLLIDE_REQUEST_SCORES_F16 = 8,   /* half the bytes, 11 bits of each score */
    COLLIDE_REQUEST_TIMES = 16,       /* the answer tells where the server's time went */
    COLLIDE_REQUEST_PING = 32,        /* nothing is scored */
};

/* Arrays are borrowed for the call. */
struct collide_request {
    unsigned flags;
    uint16_t model; /* 0: the first */
    uint16_t k;
    uint32_t deadline_us; /* answered COLLIDE_ANSWER_EXPIRED when scored no sooner than this; 0: none */
    uint64_t user;
    const uint64_t *history; /* (n_history) */
    const float *weights;    /* (n_history) or NULL */
    const uint64_t *items;   /* (n_items) */
    size_t n_history, n_items;
};

/* The codes of docs/WIRE.md, and what only a client can tell. */
enum collide_answer_code {
    COLLIDE_ANSWER_OK,
    COLLIDE_ANSWER_MALFORMED,
    COLLIDE_ANSWER_TOO_LARGE,
    COLLIDE_ANSWER_WRONG_VERSION, /* told instead of LOST where the server spoke, but another version */
    COLLIDE_ANSWER_UNKNOWN_MODEL,
    COLLIDE_ANSWER_INVALID,
    COLLIDE_ANSWER_UNSUPPORTED,
    COLLIDE_ANSWER_EXPIRED,
    COLLIDE_ANSWER_BUSY,
    COLLIDE_ANSWER_FAILED,
    COLLIDE_ANSWER_LOST = 256, /* no answer within the time-out, retries included */
};

/* A short lower-case name such as "too_large"; never NULL. The string is static. */
COLLIDE_API const char *collide_answer_name(enum collide_answer_code code);

/* Where the server's time went, on its own clock. */
struct collide_times {
    uint32_t wait_ns;    /* from its arrival to when it was taken up */
    uint32_t read_ns;    /* reading it and its neighbours */
    uint32_t score_ns;   /* scoring them */
    uint32_t n_together; /* requests that shared all this */
};

struct collide_answer {
    uint64_t cookie; /* of its collide_client_submit */
    enum collide_answer_code code;
    uint32_t n_unknown; /* ids that the model does not know */
    size_t n_results;
    const float *scores;        /* (n_results), candidate after candidate, or best first */
    const uint64_t *items;      /* (n_results), COLLIDE_REQUEST_TOPK: the hits */
    uint32_t n_askings;         /* 1: answered at the first */
    uint64_t latency_ns;        /* from the submit */
    struct collide_times times; /* COLLIDE_REQUEST_TIMES, else zero */
};

/* Asks; what fails is not in flight. COLLIDE_BUSY: max_in_flight requests are, or the channel is full:
 * receive first. COLLIDE_INVALID: what is asked does not fit a datagram, see docs/WIRE.md. */
COLLIDE_API enum collide_status collide_client_submit(struct collide_client *client,
                                                      const struct collide_request *request, uint64_t cookie,
                                                      struct collide_error *err);

/* Sends what waits to share a datagram. */
COLLIDE_API enum collide_status collide_client_flush(struct collide_client *client,
                                                     struct collide_error *err);

/* Up to max answers, in the order of their arrival: all that are there, or the first that comes within
 * wait_us; *n may be 0. With nothing in flight it returns at once, whatever wait_us. Every submitted request
 * is answered at last, if only as lost. What the answers point to is valid until the next call. COLLIDE_IO:
 * the server's end is gone; what is in flight is lost. */
COLLIDE_API enum collide_status collide_client_receive(struct collide_client *client, uint32_t wait_us,
                                                       struct collide_answer *answers, size_t max, size_t *n,
                                                       struct collide_error *err);

/* Submits, and waits for the answer. Nothing else may be in flight. An answer with a code other than
 * COLLIDE_ANSWER_OK is COLLIDE_OK all the same; a lost one too. */
COLLIDE_API enum collide_status collide_client_ask(struct collide_client *client,
                                                   const struct collide_request *request,
                                                   struct collide_answer *answer, struct collide_error *err);

#ifdef __cplusplus
}
#endif
#endif
