#include "base/histogram.h"

#include <math.h>
#include <string.h>

enum { N_STEPS = 1 << HISTOGRAM_STEP_BITS };

/* Values below N_STEPS have a bucket each; above, the top HISTOGRAM_STEP_BITS + 1 bits name the bucket. */
static unsigned bucket_of(uint64_t value)
{
    if (value < N_STEPS)
        return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return ((shift + 1) << HISTOGRAM_STEP_BITS) + (unsigned)(value >> shift) - N_STEPS;
}

static uint64_t upper_edge(unsigned bucket)
{
    if (bucket < N_STEPS)
        return bucket;
    unsigned shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    uint64_t step = (bucket & (N_STEPS - 1)) + N_STEPS;
    return (step << shift) + (((uint64_t)1 << shift) - 1);
}

void histogram_reset(struct histogram *h)
{
    memset(h, 0, sizeof *h);
}

void histogram_record(struct histogram *h, uint64_t value)
{
    if (h->n == 0 || value < h->min)
        h->min = value;
    if (value > h->max)
        h->max = value;
    h->n++;
    h->sum += value;
    h->counts[bucket_of(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->n == 0)
        return;
    if (into->n == 0 || from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    into->n += from->n;
    into->sum += from->sum;
    for (unsigned i = 0; i < HISTOGRAM_N_BUCKETS; i++)
        into->counts[i] += from->counts[i];
}

uint64_t histogram_quantile(const struct histogram *h, double q)
{
    if (h->n == 0)
        return 0;
    double exact = q * (double)h->n;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact || rank == 0)
        rank++;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_N_BUCKETS; i++) {
        seen += h->counts[i];
        if (seen >= rank)
            return upper_edge(i) < h->max ? upper_edge(i) : h->max;
    }
    return h->max;
}

double histogram_mean(const struct histogram *h)
{
    return h->n ? (double)h->sum / (double)h->n : 0.0;
}

double histogram_deviation(const struct histogram *h)
{
    double mean = histogram_mean(h), sum = 0;
    for (unsigned i = 0; i < HISTOGRAM_N_BUCKETS; i++) {
        if (h->counts[i] == 0)
            continue;
        double low = i ? (double)upper_edge(i - 1) + 1 : 0, off = (low + (double)upper_edge(i)) / 2 - mean;
        sum += off * off * (double)h->counts[i];
    }
    return h->n ? sqrt(sum / (double)h->n) : 0.0;
}

uint64_t histogram_count_to(const struct histogram *h, uint64_t value)
{
    unsigned last = bucket_of(value);
    uint64_t n = 0;
    for (unsigned i = 0; i <= last; i++)
        n += h->counts[i];
    return n;
}
