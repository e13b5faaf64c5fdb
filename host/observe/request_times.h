/* Where a request's time goes, from the clock's reading to its next. */
#ifndef OBSERVE_REQUEST_TIMES_H
#define OBSERVE_REQUEST_TIMES_H

#include "base/clock.h"

enum stage {
    STAGE_READ,   /* from the first of its bytes to the last: as slow as its sender and the network */
    STAGE_PARSE,  /* bytes to queries */
    STAGE_QUEUE,  /* complete, and waiting for a thread, or for others to share a launch with */
    STAGE_KERNEL, /* queries to scores, the way to the device and back included */
    STAGE_PRINT,  /* scores to bytes; of datagrams, these handed over to be sent */
    N_STAGES,
};

const char *stage_name(enum stage stage);

/* All zero before the first begins. A clock's reading ends one stage and begins the next. */
struct request_times {
    uint64_t begin_ns, at_ns; /* of clock_now_ns */
    uint64_t ns[N_STAGES];
};

static inline void request_times_begin(struct request_times *t)
{
    *t = (struct request_times){0};
    t->begin_ns = t->at_ns = clock_now_ns();
}

/* A stage that comes more than once adds up. */
static inline void request_times_end(struct request_times *t, enum stage stage)
{
    uint64_t now_ns = clock_now_ns();
    t->ns[stage] += now_ns - t->at_ns;
    t->at_ns = now_ns;
}

static inline uint64_t request_times_total(const struct request_times *t)
{
    return t->at_ns - t->begin_ns;
}

#endif
