#include "observe/slow_ring.h"

#include <string.h>

enum { N_WORDS = sizeof(struct request_record) / sizeof(uint64_t) };

/* A seqlock: words are written between two versions, and a reader that sees two different ones has read a
 * mixture. */
void slow_ring_put(struct slow_ring *ring, const struct request_record *r)
{
    struct slow_slot *slot = &ring->slots[ring->n % SLOW_RING_RECORDS];
    uint64_t words[N_WORDS], version = slot->version;
    memcpy(words, r, sizeof words);
    __atomic_store_n(&slot->version, version + 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < N_WORDS; i++) /* release: none is seen before the odd version */
        __atomic_store_n(&slot->words[i], words[i], __ATOMIC_RELEASE);
    __atomic_store_n(&slot->version, version + 2, __ATOMIC_RELEASE);
    __atomic_store_n(&ring->n, ring->n + 1, __ATOMIC_RELEASE);
}

static int read_slot(const struct slow_slot *slot, struct request_record *out)
{
    uint64_t words[N_WORDS], version = __atomic_load_n(&slot->version, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < N_WORDS; i++) /* acquire: the version is read again after all of them */
        words[i] = __atomic_load_n(&slot->words[i], __ATOMIC_ACQUIRE);
    memcpy(out, words, sizeof words);
    return version % 2 == 0 && __atomic_load_n(&slot->version, __ATOMIC_RELAXED) == version;
}

size_t slow_ring_read(const struct slow_ring *ring, struct request_record *out)
{
    uint64_t n = __atomic_load_n(&ring->n, __ATOMIC_ACQUIRE);
    size_t n_read = 0;
    for (uint64_t i = n < SLOW_RING_RECORDS ? 0 : n - SLOW_RING_RECORDS; i < n; i++)
        n_read += (size_t)read_slot(&ring->slots[i % SLOW_RING_RECORDS], &out[n_read]);
    return n_read;
}
