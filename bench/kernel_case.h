/* One embedding-bag problem, big enough to miss every cache: a random table behind a random mapping, and bags
 * of random ids. */
#ifndef BENCH_KERNEL_CASE_H
#define BENCH_KERNEL_CASE_H

#include "base/rng.h"
#include "model/model.h"

struct kernel_shape {
    uint32_t n_ids;
    uint32_t n_rows;
    uint32_t dim;
    uint32_t bag;    /* ids a bag */
    uint32_t n_bags; /* in one launch */
    enum precision precision;
};

/* The tables lie in huge pages where the system gives them. */
struct kernel_case {
    struct kernel_shape shape;
    struct model model; /* no weights, biases or users: remap and bag alone, pooled by sum */
    struct rng rng;
    uint32_t *ids; /* (n_bags, bag) */
};

enum collide_status kernel_case_create(const struct kernel_shape *shape, uint64_t seed,
                                       struct kernel_case **out, struct collide_error *err);
void kernel_case_destroy(struct kernel_case *c);

/* New uniform ids, so that no run finds the last one's rows in a cache. */
void kernel_case_draw_ids(struct kernel_case *c);

/* Bytes that one lookup has to read: its id, its mapping entry, its row and the row's scale. */
uint64_t kernel_case_lookup_bytes(const struct kernel_case *c);

/* out[b, d] = sum over j of row(remap[ids[b, j]])[d], in plain scalar C; out: (n_bags, dim). */
void kernel_scalar_bags(const struct kernel_case *c, float *out);

enum { KERNEL_LINE_BYTES = 64 }; /* of the caches */

/* Touches one random cache line of the rows for each id, by prefetch, and gives a sum that keeps the
 * compiler honest. */
uint64_t kernel_random_lines(const struct kernel_case *c);

#endif
