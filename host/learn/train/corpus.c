#include "learn/train/corpus.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

/* number[dense id] = corpus item, or ID_NONE for an id that no user has. */
static enum collide_status number_items(const struct interactions *log, uint32_t *number, struct corpus *c,
                                        struct collide_error *err)
{
    uint32_t *counts = number;
    interactions_count_items(log, counts);
    for (uint32_t d = 0; d < log->items.n_ids; d++)
        c->n_items += counts[d] > 0;
    c->dense_ids = malloc((c->n_items + 1ull) * sizeof *c->dense_ids);
    c->counts = malloc((c->n_items + 1ull) * sizeof *c->counts);
    c->weights = malloc((c->n_items + 1ull) * sizeof *c->weights);
    if (!c->dense_ids || !c->counts || !c->weights)
        return error_no_memory(err, "the items to train on");
    uint32_t next = 0;
    for (uint32_t d = 0; d < log->items.n_ids; d++) {
        uint32_t count = counts[d];
        number[d] = count ? next : ID_NONE;
        if (!count)
            continue;
        c->dense_ids[next] = d;
        c->counts[next] = count;
        c->weights[next] = 1.0f / sqrtf((float)count + 1.0f);
        next++;
    }
    return COLLIDE_OK;
}

static uint64_t length(const struct csr *lists, uint32_t u)
{
    return lists->offsets[u + 1] - lists->offsets[u];
}

static enum collide_status choose_users(const struct csr *from, uint32_t min_items, struct corpus *c,
                                        struct collide_error *err)
{
    for (uint32_t u = 0; u < from->n_rows; u++)
        c->histories.n_rows += length(from, u) >= min_items;
    c->dense_users = malloc((c->histories.n_rows + 1ull) * sizeof *c->dense_users);
    if (!c->dense_users)
        return error_no_memory(err, "the users to train on");
    for (uint32_t u = 0, next = 0; u < from->n_rows; u++)
        if (length(from, u) >= min_items)
            c->dense_users[next++] = u;
    return COLLIDE_OK;
}

static enum collide_status copy_histories(const struct csr *from, const uint32_t *number, struct corpus *c,
                                          struct collide_error *err)
{
    struct csr to;
    const uint32_t n_users = c->histories.n_rows;
    uint64_t n_values = 0;
    for (uint32_t k = 0; k < n_users; k++)
        n_values += length(from, c->dense_users[k]);
    enum collide_status status =
        csr_allocate(n_users, n_values, from->store.spill, "the training histories", &to, err);
    if (status != COLLIDE_OK)
        return status;
    uint64_t end = 0;
    for (uint32_t k = 0; k < n_users; k++) {
        const uint32_t u = c->dense_users[k];
        for (uint64_t i = from->offsets[u]; i < from->offsets[u + 1]; i++)
            to.values[end++] = number[from->values[i]];
        to.offsets[k + 1] = end;
    }
    c->histories = to;
    c->owns_histories = true;
    return COLLIDE_OK;
}

/* Once in memory is enough where nobody is left out and nothing is renumbered. */
static enum collide_status take_histories(const struct interactions *log, const uint32_t *number,
                                          struct corpus *c, struct collide_error *err)
{
    if (c->n_items < log->items.n_ids || c->histories.n_rows < log->histories.n_rows)
        return copy_histories(&log->histories, number, c, err);
    c->histories = log->histories;
    return COLLIDE_OK;
}

enum collide_status corpus_create(const struct interactions *log, uint32_t min_items, struct corpus *out,
                                  struct collide_error *err)
{
    struct corpus c = {0};
    uint32_t *number = malloc((log->items.n_ids + 1ull) * sizeof *number);
    enum collide_status status =
        number ? number_items(log, number, &c, err) : error_no_memory(err, "the items to train on");
    if (status == COLLIDE_OK)
        status = choose_users(&log->histories, min_items, &c, err);
    if (status == COLLIDE_OK)
        status = take_histories(log, number, &c, err);
    free(number);
    if (status != COLLIDE_OK) {
        corpus_free(&c);
        return status;
    }
    *out = c;
    return COLLIDE_OK;
}

void corpus_free(struct corpus *c)
{
    free(c->dense_ids);
    free(c->counts);
    free(c->weights);
    free(c->dense_users);
    if (c->owns_histories)
        csr_free(&c->histories);
    *c = (struct corpus){0};
}
