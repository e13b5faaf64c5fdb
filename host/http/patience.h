/* For how long requests may wait for their turn behind others of their thread.
 *
 * A burst is waited out. A queue that stands is not: however long it is let grow, no more is answered, only
 * later. So a thread that has not had a short turn for PATIENCE_TRIAL times the limit holds to a part of it
 * until it has one: controlled delay, as of RFC 8289, for requests. A thread's own. */
#ifndef HTTP_PATIENCE_H
#define HTTP_PATIENCE_H

#include <stdint.h>

enum {
    PATIENCE_TRIAL = 10,
    PATIENCE_PART = 4,
    PATIENCE_LEAST_NS = 50 * 1000, /* a part is no less, where the whole is not */
};

struct patience {
    uint64_t max_ns;   /* that a request may wait */
    uint64_t limit_ns; /* that one of this turn may: all of it, or a part */
    uint64_t calm_ns;  /* when a turn last was short */
};

struct patience patience_of(uint64_t max_ns, uint64_t now_ns);

/* The thread is about to look for what has come. `busy_ns`: for how long it was at what came the last time;
 * none: nothing did. */
void patience_turn(struct patience *p, uint64_t busy_ns, uint64_t now_ns);

#endif
