#include "http/patience.h"

struct patience patience_of(uint64_t max_ns, uint64_t now_ns)
{
    return (struct patience){.max_ns = max_ns, .limit_ns = max_ns, .calm_ns = now_ns};
}

static uint64_t part_of(uint64_t max_ns)
{
    uint64_t least_ns = max_ns < PATIENCE_LEAST_NS ? max_ns : PATIENCE_LEAST_NS;
    uint64_t part_ns = max_ns / PATIENCE_PART;
    return part_ns > least_ns ? part_ns : least_ns;
}

void patience_turn(struct patience *p, uint64_t busy_ns, uint64_t now_ns)
{
    uint64_t part_ns = part_of(p->max_ns);
    if (busy_ns <= part_ns)
        p->calm_ns = now_ns;
    p->limit_ns = now_ns - p->calm_ns < p->max_ns * PATIENCE_TRIAL ? p->max_ns : part_ns;
}
