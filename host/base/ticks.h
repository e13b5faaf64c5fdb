/* The CPU's own counter: quicker to read than a clock. It tells how a time divides, not how long it was. */
#ifndef BASE_TICKS_H
#define BASE_TICKS_H

#include "base/clock.h"

/* Of one thread they do not fall behind, but where it is moved to a CPU whose counter is another. */
static inline uint64_t ticks_now(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return clock_now_ns();
#endif
}

#endif
