#include "observe/durations.h"

#include "base/counter.h"

enum { STEP_BITS = 3 };

static const uint64_t STEP_NS = 125;

_Static_assert(1 << STEP_BITS == DURATIONS_STEPS, "the top bits name a bucket");

/* Below DURATIONS_STEPS every step has a bucket; above, the top STEP_BITS + 1 bits name it. Edges belong to
 * the bucket below them, as Prometheus has it. */
static unsigned bucket_of(uint64_t ns)
{
    uint64_t step = ns ? (ns - 1) / STEP_NS : 0;
    if (step < DURATIONS_STEPS)
        return (unsigned)step;
    unsigned shift = 63u - (unsigned)__builtin_clzll(step) - STEP_BITS;
    unsigned bucket = (shift << STEP_BITS) + (unsigned)(step >> shift);
    return bucket < DURATIONS_N_EDGES ? bucket : DURATIONS_N_EDGES;
}

void durations_add(struct durations *d, uint64_t ns, uint64_t n)
{
    counter_add(&d->counts[bucket_of(ns)], n);
    counter_add(&d->sum_ns, ns * n);
}

void durations_merge(struct durations *into, const struct durations *from)
{
    into->sum_ns += counter_read(&from->sum_ns);
    for (unsigned i = 0; i < DURATIONS_N_BUCKETS; i++)
        into->counts[i] += counter_read(&from->counts[i]);
}

uint64_t durations_edge_ns(unsigned i)
{
    if (i < DURATIONS_STEPS)
        return (i + 1) * STEP_NS;
    return ((i % DURATIONS_STEPS + DURATIONS_STEPS + 1) * STEP_NS) << (i / DURATIONS_STEPS - 1);
}

uint64_t durations_n(const struct durations *d)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < DURATIONS_N_BUCKETS; i++)
        n += d->counts[i];
    return n;
}

double durations_quantile_ns(const struct durations *d, double q)
{
    double rank = q * (double)durations_n(d), seen = 0;
    for (unsigned i = 0; i < DURATIONS_N_EDGES; i++) {
        double n = (double)d->counts[i], low = i ? (double)durations_edge_ns(i - 1) : 0;
        if (n > 0 && seen + n >= rank)
            return low + ((double)durations_edge_ns(i) - low) * (rank - seen) / n;
        seen += n;
    }
    return seen < rank ? (double)durations_edge_ns(DURATIONS_N_EDGES - 1) : 0;
}
