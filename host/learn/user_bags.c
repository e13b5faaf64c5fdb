#include "learn/user_bags.h"

#include "learn/train/vector.h"

struct user_bags {
    const struct corpus *corpus;
    const float *items;
    uint32_t dim;
    float *out;
};

static void pool_users(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    const struct user_bags *b = context;
    const struct csr *histories = &b->corpus->histories;
    for (size_t u = begin; u < end; u++) {
        float *bag = b->out + u * b->dim;
        vector_fill(0.0f, bag, b->dim);
        for (uint64_t k = histories->offsets[u]; k < histories->offsets[u + 1]; k++)
            vector_add_scaled(b->corpus->weights[histories->values[k]],
                              b->items + (size_t)histories->values[k] * b->dim, bag, b->dim);
        vector_normalise(bag, b->dim);
    }
}

void user_bags(const struct corpus *corpus, const float *items, uint32_t dim, struct parallel *team,
               float *out)
{
    struct user_bags bags = {corpus, items, dim, out};
    parallel_for(team, corpus->histories.n_rows, pool_users, &bags);
}
