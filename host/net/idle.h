/* What a thread that polls does when nothing has come. */
#ifndef NET_IDLE_H
#define NET_IDLE_H

#include <stdbool.h>
#include <stdint.h>

enum poll_policy {
    POLL_ADAPTIVE, /* looks again for a while, then sleeps */
    POLL_SPIN,     /* looks again and again: the least latency, a whole CPU */
    POLL_SLEEP,    /* sleeps at once */
};

struct idle {
    enum poll_policy poll;
    uint64_t since_ns; /* 0: busy */
};

/* Something has come. */
static inline void idle_end(struct idle *i)
{
    i->since_ns = 0;
}

/* Nothing has: whether to sleep now until something comes. If not, it has paused for a moment. */
bool idle_sleeps(struct idle *i);

/* Pins the calling thread to a CPU, or warns. */
void idle_pin(int cpu);

#endif
