/* What a load is sent over: lanes that carry one request each. One thread uses a transport at a time. */
#ifndef BENCH_TRANSPORT_H
#define BENCH_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

/* One request, as its transport takes it: over HTTP bytes, over datagrams a struct collide_request. */
struct message {
    const void *bytes; /* borrowed until its request is completed */
    size_t n_bytes;
};

enum outcome {
    OUTCOME_ANSWERED,   /* a whole response arrived */
    OUTCOME_CONNECTION, /* not connected, reset, or closed before a whole response */
    OUTCOME_TIMEOUT,
    OUTCOME_MALFORMED, /* what arrived is no response */
    OUTCOME_LOST,      /* of datagrams: no answer in time, and none will come */
};

/* Where the server's time went, by its own clock. */
enum stage {
    STAGE_WAIT_NS, /* until it was taken up */
    STAGE_READ_NS,
    STAGE_SCORE_NS,
    STAGE_TOGETHER, /* no time: how many requests were taken up at once */
    N_STAGES
};

struct completion {
    unsigned lane;
    enum outcome outcome;
    int code;               /* of an answer, as the protocol numbers them (HTTP: 200); else 0 */
    uint64_t at_ns;         /* when it was seen, on the transport's clock */
    const uint32_t *stages; /* (N_STAGES), borrowed like the completion; NULL: not told */
};

struct transport_ops {
    uint64_t (*now_ns)(void *self);

    /* Starts a request on an idle lane. Failures show as completions. */
    void (*send)(void *self, unsigned lane, const struct message *message);

    /* The requests completed since the last call, at most one per lane, borrowed until the next call of
     * send or poll. Waits for the first until until_ns, or for less; every request completes at last, if only
     * by its time-out. */
    size_t (*poll)(void *self, uint64_t until_ns, const struct completion **done);
};

struct transport {
    const struct transport_ops *ops;
    void *self;
    unsigned n_lanes;
};

#endif
