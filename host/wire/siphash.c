#include "wire/siphash.h"
#include "wire/bytes.h"

static uint64_t rotate_left(uint64_t x, unsigned n_bits)
{
    return x << n_bits | x >> (64 - n_bits);
}

static inline void sip_rounds(uint64_t v[4], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] = rotate_left(v[2], 32);
    }
}

static inline void compress(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

void siphash_begin(struct siphash *s, const uint64_t key[2])
{
    *s = (struct siphash){.v = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                                key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u}};
}

void siphash_words(struct siphash *s, const uint8_t *bytes, size_t n_words)
{
    struct siphash local = *s; /* in registers, not behind a pointer */
    for (size_t i = 0; i < n_words; i++)
        compress(local.v, load_le64(bytes + 8 * i));
    local.n_bytes += 8 * n_words;
    *s = local;
}

uint64_t siphash_end(struct siphash *s, const uint8_t *bytes, size_t n_bytes)
{
    size_t n_words = n_bytes / 8;
    siphash_words(s, bytes, n_words);
    uint64_t last = (uint64_t)(s->n_bytes + n_bytes % 8) << 56;
    for (size_t i = 0; i < n_bytes % 8; i++)
        last |= (uint64_t)bytes[8 * n_words + i] << (8 * i);
    compress(s->v, last);
    s->v[2] ^= 0xff;
    sip_rounds(s->v, 4);
    return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

uint64_t siphash(const uint64_t key[2], const void *bytes, size_t n_bytes)
{
    struct siphash s;
    siphash_begin(&s, key);
    return siphash_end(&s, bytes, n_bytes);
}
