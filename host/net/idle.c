#include "net/idle.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/spin.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

/* Waking a sleeping thread costs about as much as this. */
enum { ADAPTIVE_SPIN_NS = 50000 };

bool idle_sleeps(struct idle *i)
{
    if (i->poll != POLL_SPIN) {
        uint64_t now_ns = clock_now_ns();
        if (i->since_ns == 0)
            i->since_ns = now_ns;
        if (i->poll == POLL_SLEEP || now_ns - i->since_ns >= ADAPTIVE_SPIN_NS)
            return true;
    }
    spin_pause();
    return false;
}

void idle_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    int failed = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (failed)
        log_warning("cannot pin a thread to CPU %d: %s", cpu, strerror(failed));
}
