#include "learn/train/corpus.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

/* number[dense id] = corpus item, or ID_NONE for an id that no user has. */
static enum collide_status number_items(const struct interactions *log, uint32_t *number, struct corpus *c)
{
    uint32_t *counts = number;
    interactions_count_items(log, counts);
    for (uint32_t d = 0; d < log->items.n_ids; d++)
        c->n_items += counts[d] > 0;
    c->dense_ids = malloc((c->n_items + 1ull) * sizeof *c->dense_ids);
    c->counts = malloc((c->n_items + 1ull) * sizeof *c->counts);
    c->weights = malloc((c->n_items + 1ull) * sizeof *c->weights);
    if (!c->dense_ids || !c->counts || !c->weights)
        return COLLIDE_NO_MEMORY;
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

static enum collide_status copy_histories(const struct csr *from, uint32_t min_items, const uint32_t *number,
                                          struct corpus *c)
{
    struct csr *to = &c->histories;
    uint32_t n_users = 0;
    uint64_t n_values = 0;
    for (uint32_t u = 0; u < from->n_rows; u++) {
        uint64_t n = from->offsets[u + 1] - from->offsets[u];
        n_users += n >= min_items;
        n_values += n >= min_items ? n : 0;
    }
    to->offsets = malloc((n_users + 1ull) * sizeof *to->offsets);
    to->values = malloc((n_values + 1) * sizeof *to->values);
    c->dense_users = malloc((n_users + 1ull) * sizeof *c->dense_users);
    if (!to->offsets || !to->values || !c->dense_users)
        return COLLIDE_NO_MEMORY;
    to->offsets[0] = 0;
    uint64_t end = 0;
    for (uint32_t u = 0; u < from->n_rows; u++) {
        if (from->offsets[u + 1] - from->offsets[u] < min_items)
            continue;
        c->dense_users[to->n_rows] = u;
        for (uint64_t k = from->offsets[u]; k < from->offsets[u + 1]; k++)
            to->values[end++] = number[from->values[k]];
        to->offsets[++to->n_rows] = end;
    }
    return COLLIDE_OK;
}

enum collide_status corpus_create(const struct interactions *log, uint32_t min_items, struct corpus *out,
                                  struct collide_error *err)
{
    struct corpus c = {0};
    uint32_t *number = malloc((log->items.n_ids + 1ull) * sizeof *number);
    enum collide_status status = number ? number_items(log, number, &c) : COLLIDE_NO_MEMORY;
    if (status == COLLIDE_OK)
        status = copy_histories(&log->histories, min_items, number, &c);
    free(number);
    if (status != COLLIDE_OK) {
        corpus_free(&c);
        return error_no_memory(err, "the training histories");
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
    free(c->histories.offsets);
    free(c->histories.values);
    *c = (struct corpus){0};
}
