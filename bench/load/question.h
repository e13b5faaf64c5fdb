/* What random requests ask, whatever carries them: the same seed asks the same of every transport. */
#ifndef BENCH_QUESTION_H
#define BENCH_QUESTION_H

#include "base/rng.h"

#include <stddef.h>
#include <stdint.h>

/* Ids are drawn uniformly. */
struct question {
    uint64_t n_users, n_items; /* ids are below these; both above 0 */
    uint64_t n_candidates;     /* per query, unless topk */
    uint64_t topk;             /* above 0: ask for the k best of all items instead */
    uint64_t n_history;        /* above 0: ask for a history of so many items instead of a user */
    uint64_t batch;            /* queries per request */
    uint64_t seed;
};

struct query {
    uint64_t user;
    const uint64_t *history; /* (n_history) */
    const uint64_t *items;   /* (question_n_items) */
};

/* Candidates of a query: none for top-k. */
size_t question_n_items(const struct question *q);

/* Ids that a query draws beside its user. */
size_t question_n_ids(const struct question *q);

/* How many requests to write out before the clock starts, to be sent in turn: several hundred, fewer if they
 * are very large. */
size_t question_n_requests(const struct question *q);
struct rng question_rng(const struct question *q);

/* ids: room for question_n_ids, which the query borrows. */
struct query question_draw(const struct question *q, struct rng *rng, uint64_t *ids);

#endif
