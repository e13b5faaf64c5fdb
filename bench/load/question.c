#include "question.h"

enum {
    REQUESTS_MAX = 512,
    REQUESTS_MIN = 16,
    REQUESTS_IDS = 800000, /* of all together, about, unless REQUESTS_MIN requests take more */
    REQUESTS_STREAM = 1,   /* of the seed's random numbers; the arrivals have another */
};

size_t question_n_items(const struct question *q)
{
    return q->topk ? 0 : q->n_candidates;
}

size_t question_n_ids(const struct question *q)
{
    return q->n_history + question_n_items(q);
}

size_t question_n_requests(const struct question *q)
{
    uint64_t n = REQUESTS_IDS / ((q->batch ? q->batch : 1) * (1 + question_n_ids(q)));
    return n > REQUESTS_MAX ? REQUESTS_MAX : n < REQUESTS_MIN ? REQUESTS_MIN : (size_t)n;
}

struct rng question_rng(const struct question *q)
{
    return rng_seeded(q->seed, REQUESTS_STREAM);
}

struct query question_draw(const struct question *q, struct rng *rng, uint64_t *ids)
{
    struct query query = {.history = ids, .items = ids + q->n_history};
    size_t n = question_n_ids(q);
    if (q->n_history == 0)
        query.user = rng_below(rng, q->n_users);
    for (size_t i = 0; i < n; i++)
        ids[i] = rng_below(rng, q->n_items);
    return query;
}
