/* Where a burst's time goes, with few looks at the clock: it says how long the whole took, the CPU's ticks
 * how that divides. */
#ifndef SERVE_BURST_TIMES_H
#define SERVE_BURST_TIMES_H

#include "observe/request_times.h"

/* When a burst was taken up, and when its first stages ended. */
struct burst_times {
    uint64_t begin_ns;              /* of clock_now_ns */
    uint64_t begin, parsed, scored; /* of ticks_now */
};

void burst_times_begin(struct burst_times *b);

/* The stages of a burst that has been scored, until now; they add up to the whole. Were the ticks not of one
 * counter, it all counts as the kernel's. */
struct request_times burst_times_until_now(const struct burst_times *b);

#endif
