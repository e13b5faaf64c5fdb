#include "arrivals.h"

static double draw_gap(struct arrivals *a)
{
    return a->kind == ARRIVALS_POISSON ? -a->gap_ns * log(1.0 - rng_double(&a->rng)) : a->gap_ns;
}

struct arrivals arrivals_at_rate(enum arrivals_kind kind, double rate, struct rng rng)
{
    struct arrivals a = {.kind = kind, .gap_ns = 1e9 / rate, .rng = rng};
    arrivals_restart(&a);
    return a;
}

void arrivals_restart(struct arrivals *a)
{
    a->due_ns = a->kind == ARRIVALS_POISSON ? draw_gap(a) : 0.0;
}

uint64_t arrivals_due_ns(const struct arrivals *a)
{
    return (uint64_t)a->due_ns;
}

void arrivals_advance(struct arrivals *a)
{
    a->due_ns += draw_gap(a);
}
