#include "data/pair_sort.h"

#include <stdbool.h>

enum { DIGIT_BITS = 8, N_BUCKETS = 1 << DIGIT_BITS, MAX_INSERTED = 24 };

/* One number for each pair, without the bits that are 0 in all of them. */
struct keys {
    unsigned value_bits;
};

static uint64_t key_of(const struct keys *k, struct csr_pair pair)
{
    return (uint64_t)pair.row << k->value_bits | pair.value;
}

static unsigned bits_below(uint32_t n)
{
    unsigned bits = 0;
    while (bits < 32 && (uint64_t)1 << bits < n)
        bits++;
    return bits;
}

static void insertion_sort(const struct keys *k, struct csr_pair *pairs, uint64_t n)
{
    for (uint64_t i = 1; i < n; i++) {
        const struct csr_pair pair = pairs[i];
        const uint64_t key = key_of(k, pair);
        uint64_t at = i;
        for (; at > 0 && key_of(k, pairs[at - 1]) > key; at--)
            pairs[at] = pairs[at - 1];
        pairs[at] = pair;
    }
}

static unsigned digit_of(const struct keys *k, struct csr_pair pair, unsigned shift)
{
    return (unsigned)(key_of(k, pair) >> shift) % N_BUCKETS;
}

/* ends[b] = where bucket b ends; false: all pairs are in one. */
static bool find_buckets(const struct keys *k, const struct csr_pair *pairs, uint64_t n, unsigned shift,
                         uint64_t *ends)
{
    for (unsigned b = 0; b < N_BUCKETS; b++)
        ends[b] = 0;
    for (uint64_t i = 0; i < n; i++)
        ends[digit_of(k, pairs[i], shift)]++;
    const bool has_several = ends[digit_of(k, pairs[0], shift)] < n;
    for (unsigned b = 1; b < N_BUCKETS; b++)
        ends[b] += ends[b - 1];
    return has_several;
}

/* A pair that is in the wrong bucket takes the next place of its own, and what was there goes on likewise. */
static void put_in_buckets(const struct keys *k, struct csr_pair *pairs, unsigned shift, const uint64_t *ends)
{
    uint64_t next[N_BUCKETS];
    next[0] = 0;
    for (unsigned b = 1; b < N_BUCKETS; b++)
        next[b] = ends[b - 1];
    for (unsigned b = 0; b < N_BUCKETS; b++)
        while (next[b] < ends[b]) {
            struct csr_pair pair = pairs[next[b]];
            for (unsigned d = digit_of(k, pair, shift); d != b; d = digit_of(k, pair, shift)) {
                const struct csr_pair displaced = pairs[next[d]];
                pairs[next[d]++] = pair;
                pair = displaced;
            }
            pairs[next[b]++] = pair;
        }
}

/* Pairs whose keys are alike from the bit shift + DIGIT_BITS on. */
static void sort_from(const struct keys *k, struct csr_pair *pairs, uint64_t n, unsigned shift)
{
    uint64_t ends[N_BUCKETS];
    if (n <= MAX_INSERTED) {
        insertion_sort(k, pairs, n);
        return;
    }
    if (find_buckets(k, pairs, n, shift, ends))
        put_in_buckets(k, pairs, shift, ends);
    if (shift == 0)
        return;
    uint64_t begin = 0;
    for (unsigned b = 0; b < N_BUCKETS; b++) {
        sort_from(k, pairs + begin, ends[b] - begin, shift > DIGIT_BITS ? shift - DIGIT_BITS : 0);
        begin = ends[b];
    }
}

void pair_sort(struct csr_pair *pairs, uint64_t n, struct csr_shape shape)
{
    const struct keys k = {.value_bits = bits_below(shape.n_values)};
    const unsigned n_bits = k.value_bits + bits_below(shape.n_rows);
    sort_from(&k, pairs, n, n_bits > DIGIT_BITS ? n_bits - DIGIT_BITS : 0);
}
