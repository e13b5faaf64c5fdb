/* Monotonic time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_now_ns(void);

/* Seconds since an earlier clock_now_ns(). */
double clock_seconds_since(uint64_t start_ns);

#endif
