/* A seeded random generator: xoshiro256** (Blackman and Vigna 2018), its state filled by splitmix64.
 * Each user owns its state; nothing here is shared between threads. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <math.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

static inline uint64_t rng_splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Streams with the same seed and different numbers are independent of each other. */
static inline struct rng rng_seeded(uint64_t seed, uint64_t stream)
{
    struct rng r;
    uint64_t x = seed ^ rng_splitmix64(&stream);
    for (int i = 0; i < 4; i++)
        r.state[i] = rng_splitmix64(&x);
    return r;
}

static inline uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->state;
    uint64_t product = s[1] * 5;
    uint64_t result = ((product << 7) | (product >> 57)) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* Uniform in [0, n), n > 0, by multiplication (Lemire 2019); the bias is below n / 2^64. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)rng_u64(r) * n) >> 64);
}

/* Uniform in [0, 1). */
static inline double rng_double(struct rng *r)
{
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

/* Standard normal (Box-Muller, one of the pair). */
static inline double rng_normal(struct rng *r)
{
    double u = 1.0 - rng_double(r);
    double v = rng_double(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

#endif
