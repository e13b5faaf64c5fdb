#include "serve/burst_times.h"

#include "base/ticks.h"

void burst_times_begin(struct burst_times *b)
{
    *b = (struct burst_times){.begin_ns = clock_now_ns(), .begin = ticks_now()};
}

struct request_times burst_times_until_now(const struct burst_times *b)
{
    struct request_times t = {.begin_ns = b->begin_ns, .at_ns = clock_now_ns()};
    uint64_t total_ns = request_times_total(&t), n_ticks = ticks_now() - b->begin;
    uint64_t n_parse = b->parsed - b->begin, n_kernel = b->scored - b->parsed;
    if (n_ticks == 0 || n_parse > n_ticks || n_kernel > n_ticks - n_parse) {
        t.ns[STAGE_KERNEL] = total_ns;
        return t;
    }
    double ns_per_tick = (double)total_ns / (double)n_ticks;
    t.ns[STAGE_PARSE] = (uint64_t)((double)n_parse * ns_per_tick);
    t.ns[STAGE_KERNEL] = (uint64_t)((double)n_kernel * ns_per_tick);
    t.ns[STAGE_PRINT] = total_ns - t.ns[STAGE_PARSE] - t.ns[STAGE_KERNEL];
    return t;
}
