/* For how long a request may wait for those of its thread that came before it, and that are answered in the
 * same turn.
 *
 * A burst is waited out. A queue that stands is not: however long it is let grow, no more is answered, only
 * later. So a thread that has been refusing some for QUEUE_TRIAL times the limit answers what is at the front
 * alone, until it has refused none for as long as the limit: controlled delay, as of RFC 8289, for requests.
 * A thread's own. */
#ifndef HTTP_QUEUE_LIMIT_H
#define HTTP_QUEUE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { QUEUE_TRIAL = 10, QUEUE_FRONT_NS = 20000 };

struct queue_limit {
    uint64_t max_ns;      /* that a request may wait */
    uint64_t limit_ns;    /* that one of this turn may: all of it, or QUEUE_FRONT_NS of it */
    uint64_t first_ns;    /* when the first of this turn was taken up; 0: none was */
    uint64_t calm_ns;     /* since a turn that refused some */
    uint64_t refusing_ns; /* in turns that did, each max_ns at most, since calm_ns last reached max_ns */
    bool has_refused;     /* in this turn */
};

struct queue_limit queue_limit_of(uint64_t max_ns);

/* A turn has ended that took so long, and the next begins. */
void queue_limit_turn(struct queue_limit *q, uint64_t turn_ns);

/* A request is taken up: whether it has waited too long. The first of a turn never has. */
bool queue_limit_refuses(struct queue_limit *q, uint64_t now_ns);

#endif
