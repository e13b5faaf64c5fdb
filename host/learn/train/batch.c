#include "learn/train/batch.h"

#include "base/error.h"
#include "base/least.h"

#include <stdlib.h>
#include <string.h>

#define NO_SLOT UINT32_MAX

struct sampler {
    const struct corpus *corpus;
    const float *weights; /* (n_items) of items in bags */
    struct embedder *embedder;
    struct batch_shape shape;
    struct batch_limits limits;
    uint32_t *slot_of_item; /* (n_items) NO_SLOT but for the current batch's */
    struct batch batch;
};

static int longer_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* The items in the n longest histories together: what a batch of n users can hold at most. */
static enum collide_status longest_histories(const struct csr *histories, uint32_t n, uint64_t *out)
{
    uint64_t *lengths = malloc((histories->n_rows + 1ull) * sizeof *lengths);
    if (!lengths)
        return COLLIDE_NO_MEMORY;
    for (uint32_t u = 0; u < histories->n_rows; u++)
        lengths[u] = histories->offsets[u + 1] - histories->offsets[u];
    qsort(lengths, histories->n_rows, sizeof *lengths, longer_first);
    *out = 0;
    for (uint32_t u = 0; u < histories->n_rows && u < n; u++)
        *out += lengths[u];
    free(lengths);
    return COLLIDE_OK;
}

enum collide_status batch_limits_find(const struct corpus *corpus, const struct batch_shape *shape,
                                      struct batch_limits *out, struct collide_error *err)
{
    uint64_t n;
    if (longest_histories(&corpus->histories, shape->n_users, &n) != COLLIDE_OK || n > UINT32_MAX)
        return error_no_memory(err, "a batch");
    *out = (struct batch_limits){.n_users = (uint32_t)least(shape->n_users, corpus->histories.n_rows),
                                 .n_negatives = (uint32_t)least(shape->n_negatives, corpus->n_items),
                                 .n_item_slots = (uint32_t)least(n + shape->n_negatives, corpus->n_items),
                                 .n_history_items = n};
    return COLLIDE_OK;
}

static enum collide_status sampler_allocate(struct sampler *s)
{
    const struct batch_limits *l = &s->limits;
    const size_t item_slots_bytes = (s->corpus->n_items + 1ull) * sizeof *s->slot_of_item;
    struct batch *b = &s->batch;
    s->slot_of_item = malloc(item_slots_bytes);
    b->items = malloc(l->n_item_slots * sizeof *b->items);
    b->item_embeddings = malloc(l->n_item_slots * sizeof *b->item_embeddings);
    b->input_offsets = calloc(l->n_users + 1ull, sizeof *b->input_offsets);
    b->target_offsets = calloc(l->n_users + 1ull, sizeof *b->target_offsets);
    b->input_embeddings = malloc(l->n_history_items * sizeof *b->input_embeddings);
    b->input_weights = malloc(l->n_history_items * sizeof *b->input_weights);
    b->target_items = malloc(l->n_history_items * sizeof *b->target_items);
    if (!s->slot_of_item || !b->items || !b->item_embeddings || !b->input_offsets || !b->input_embeddings ||
        !b->input_weights || !b->target_offsets || !b->target_items)
        return COLLIDE_NO_MEMORY;
    memset(s->slot_of_item, 0xff, item_slots_bytes);
    return COLLIDE_OK;
}

enum collide_status sampler_create(const struct corpus *corpus, struct embedder *items,
                                   const struct batch_shape *shape, struct sampler **out,
                                   struct collide_error *err)
{
    struct sampler *s = calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "the batch sampler");
    *s = (struct sampler){.corpus = corpus, .weights = corpus->weights, .embedder = items, .shape = *shape};
    if (batch_limits_find(corpus, shape, &s->limits, err) != COLLIDE_OK ||
        sampler_allocate(s) != COLLIDE_OK) {
        sampler_destroy(s);
        return error_no_memory(err, "the batch sampler");
    }
    *out = s;
    return COLLIDE_OK;
}

void sampler_destroy(struct sampler *s)
{
    if (!s)
        return;
    free(s->slot_of_item);
    free(s->batch.items);
    free(s->batch.item_embeddings);
    free(s->batch.input_offsets);
    free(s->batch.input_embeddings);
    free(s->batch.input_weights);
    free(s->batch.target_offsets);
    free(s->batch.target_items);
    free(s);
}

void sampler_weigh(struct sampler *s, const float *weights)
{
    s->weights = weights;
}

static uint32_t item_slot(struct sampler *s, uint32_t item)
{
    struct batch *b = &s->batch;
    if (s->slot_of_item[item] == NO_SLOT) {
        s->slot_of_item[item] = b->n_item_slots;
        b->items[b->n_item_slots] = item;
        b->item_embeddings[b->n_item_slots++] = embedder_take(s->embedder, item);
    }
    return s->slot_of_item[item];
}

static void clear_batch(struct sampler *s)
{
    struct batch *b = &s->batch;
    for (uint32_t i = 0; i < b->n_item_slots; i++)
        s->slot_of_item[b->items[i]] = NO_SLOT;
    b->n_item_slots = 0;
    b->n_users = 0;
    embedder_clear(s->embedder);
}

static void draw_negatives(struct sampler *s, struct rng *rng)
{
    uint32_t n_items = s->corpus->n_items;
    uint32_t n = s->limits.n_negatives;
    if (n == n_items) {
        for (uint32_t i = 0; i < n; i++)
            item_slot(s, i);
    } else if (n > n_items / 2) {
        /* Selection sampling (Knuth, algorithm S): rejecting repeats would take long here. */
        for (uint32_t i = 0; s->batch.n_item_slots < n; i++)
            if (rng_below(rng, n_items - i) < n - s->batch.n_item_slots)
                item_slot(s, i);
    } else {
        while (s->batch.n_item_slots < n)
            item_slot(s, (uint32_t)rng_below(rng, n_items));
    }
    s->batch.n_negatives = s->batch.n_item_slots;
    s->batch.n_negative_embeddings = embedder_n_slots(s->embedder);
}

static void add_input(struct sampler *s, uint32_t item)
{
    struct batch *b = &s->batch;
    uint32_t *end = &b->input_offsets[b->n_users + 1];
    b->input_embeddings[*end] = embedder_take(s->embedder, item);
    b->input_weights[(*end)++] = s->weights[item];
}

static void add_target(struct sampler *s, uint32_t item)
{
    struct batch *b = &s->batch;
    b->target_items[b->target_offsets[b->n_users + 1]++] = item_slot(s, item);
}

/* Of n items, at least two: which are targets. One is always an input and another one always a target, and
 * those are drawn first, so that no user has to be drawn again. */
static void draw_split(struct sampler *s, const uint32_t *items, uint64_t n, struct rng *rng)
{
    uint64_t sure_input = rng_below(rng, n);
    uint64_t sure_target = (sure_input + 1 + rng_below(rng, n - 1)) % n;
    for (uint64_t k = 0; k < n; k++) {
        bool is_input = rng_double(rng) < s->shape.input_share;
        if ((is_input && k != sure_target) || k == sure_input)
            add_input(s, items[k]);
        else
            add_target(s, items[k]);
    }
}

static void draw_user(struct sampler *s, uint32_t user, struct rng *rng)
{
    const struct csr *histories = &s->corpus->histories;
    const uint32_t *items = histories->values + histories->offsets[user];
    uint64_t n = histories->offsets[user + 1] - histories->offsets[user];
    struct batch *b = &s->batch;
    b->input_offsets[b->n_users + 1] = b->input_offsets[b->n_users];
    b->target_offsets[b->n_users + 1] = b->target_offsets[b->n_users];
    if (s->shape.input_share > 0.0f)
        draw_split(s, items, n, rng);
    else
        for (uint64_t k = 0; k < n; k++)
            add_target(s, items[k]);
    b->n_users++;
}

const struct batch *sampler_draw(struct sampler *s, const uint32_t *users, uint32_t n_users, struct rng *rng)
{
    clear_batch(s);
    draw_negatives(s, rng);
    for (uint32_t u = 0; u < n_users; u++)
        draw_user(s, users[u], rng);
    s->batch.n_embeddings = embedder_n_slots(s->embedder);
    return &s->batch;
}
