#include "http/queue_limit.h"

#include "base/least.h"

struct queue_limit queue_limit_of(uint64_t max_ns)
{
    return (struct queue_limit){.max_ns = max_ns, .limit_ns = max_ns};
}

void queue_limit_turn(struct queue_limit *q, uint64_t turn_ns)
{
    if (q->has_refused) {
        q->refusing_ns += least(turn_ns, q->max_ns);
        q->calm_ns = 0;
    } else if ((q->calm_ns += turn_ns) >= q->max_ns) {
        q->refusing_ns = 0;
    }
    bool stands = q->refusing_ns >= q->max_ns * QUEUE_TRIAL;
    q->limit_ns = stands ? least(q->max_ns, QUEUE_FRONT_NS) : q->max_ns;
    q->first_ns = 0;
    q->has_refused = false;
}

bool queue_limit_refuses(struct queue_limit *q, uint64_t now_ns)
{
    if (q->first_ns == 0)
        q->first_ns = now_ns;
    bool refuses = now_ns - q->first_ns > q->limit_ns;
    q->has_refused |= refuses;
    return refuses;
}
