#include "random_lines.h"

#include "base/clock.h"
#include "base/error.h"
#include "device/host_pages.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 32, LINE_BYTES = 64, MAX_DRAWN = 1 << 20 };

struct random_lines {
    char *lines; /* (n_bytes) */
    uint64_t n_bytes, n_lines;
    uint32_t *drawn; /* (MAX_DRAWN) */
    struct rng rng;
    uint64_t sum; /* keeps the compiler honest */
};

enum collide_status random_lines_create(uint64_t n_bytes, struct random_lines **out,
                                        struct collide_error *err)
{
    struct random_lines *r = calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "the random lines");
    r->n_bytes = n_bytes;
    r->lines = host_pages_allocate(n_bytes);
    r->drawn = malloc(MAX_DRAWN * sizeof *r->drawn);
    if (!r->lines || !r->drawn) {
        random_lines_destroy(r);
        return error_no_memory(err, "the random lines");
    }
    memset(r->lines, 1, n_bytes);
    r->n_lines = n_bytes / LINE_BYTES;
    r->rng = rng_seeded(n_bytes, 1);
    *out = r;
    return COLLIDE_OK;
}

void random_lines_destroy(struct random_lines *r)
{
    if (!r)
        return;
    host_pages_free(r->lines, r->n_bytes);
    free(r->drawn);
    free(r);
}

double random_lines_measure(struct random_lines *r, size_t n)
{
    n = n < MAX_DRAWN ? n : MAX_DRAWN;
    for (size_t i = 0; i < n; i++)
        r->drawn[i] = (uint32_t)rng_below(&r->rng, r->n_lines);
    uint64_t start = clock_now_ns();
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(r->lines + (size_t)r->drawn[i + AHEAD] * LINE_BYTES);
        r->sum += (unsigned char)r->lines[(size_t)r->drawn[i] * LINE_BYTES];
    }
    double ns = clock_seconds_since(start) * 1e9 / (double)n;
    __asm__ volatile("" : : "r"(r->sum));
    return ns;
}
