#include "learn/batch.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define NO_SLOT UINT32_MAX

struct sampler {
    const struct corpus *corpus;
    const uint32_t *row_of_item;
    struct batch_shape shape;
    struct batch_limits limits;
    uint32_t *slot_of_item; /* (n_items) NO_SLOT but for the current batch's */
    uint32_t *slot_of_row;  /* (n_rows) likewise */
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

static uint32_t *slots_create(uint32_t n)
{
    uint32_t *slots = malloc((n + 1ull) * sizeof *slots);
    if (slots)
        memset(slots, 0xff, (n + 1ull) * sizeof *slots);
    return slots;
}

static enum collide_status sampler_allocate(struct sampler *s)
{
    uint64_t n_entries;
    enum collide_status status = longest_histories(&s->corpus->histories, s->shape.n_users, &n_entries);
    if (status != COLLIDE_OK || n_entries > UINT32_MAX)
        return COLLIDE_NO_MEMORY;
    uint64_t n_touched = n_entries + s->shape.n_negatives;
    struct batch_limits *l = &s->limits;
    l->n_users = s->shape.n_users;
    l->n_negatives = s->shape.n_negatives;
    l->n_item_slots = (uint32_t)(n_touched < s->corpus->n_items ? n_touched : s->corpus->n_items);
    l->n_row_slots = l->n_item_slots < s->shape.n_rows ? l->n_item_slots : s->shape.n_rows;
    struct batch *b = &s->batch;
    s->slot_of_item = slots_create(s->corpus->n_items);
    s->slot_of_row = slots_create(s->shape.n_rows);
    b->items = malloc(l->n_item_slots * sizeof *b->items);
    b->item_rows = malloc(l->n_item_slots * sizeof *b->item_rows);
    b->rows = malloc(l->n_row_slots * sizeof *b->rows);
    b->input_offsets = calloc(l->n_users + 1ull, sizeof *b->input_offsets);
    b->target_offsets = calloc(l->n_users + 1ull, sizeof *b->target_offsets);
    b->input_rows = malloc(n_entries * sizeof *b->input_rows);
    b->input_weights = malloc(n_entries * sizeof *b->input_weights);
    b->target_items = malloc(n_entries * sizeof *b->target_items);
    bool complete = s->slot_of_item && s->slot_of_row && b->items && b->item_rows && b->rows &&
                    b->input_offsets && b->target_offsets && b->input_rows && b->input_weights &&
                    b->target_items;
    return complete ? COLLIDE_OK : COLLIDE_NO_MEMORY;
}

enum collide_status sampler_create(const struct corpus *corpus, const uint32_t *row_of_item,
                                   const struct batch_shape *shape, struct sampler **out,
                                   struct collide_error *err)
{
    struct sampler *s = calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "the batch sampler");
    *s = (struct sampler){.corpus = corpus, .row_of_item = row_of_item, .shape = *shape};
    if (s->shape.n_negatives > corpus->n_items)
        s->shape.n_negatives = corpus->n_items;
    if (s->shape.n_users > corpus->histories.n_rows)
        s->shape.n_users = corpus->histories.n_rows;
    if (sampler_allocate(s) != COLLIDE_OK) {
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
    free(s->slot_of_row);
    free(s->batch.items);
    free(s->batch.item_rows);
    free(s->batch.rows);
    free(s->batch.input_offsets);
    free(s->batch.input_rows);
    free(s->batch.input_weights);
    free(s->batch.target_offsets);
    free(s->batch.target_items);
    free(s);
}

struct batch_limits sampler_limits(const struct sampler *s)
{
    return s->limits;
}

static uint32_t row_slot(struct sampler *s, uint32_t item)
{
    struct batch *b = &s->batch;
    uint32_t row = s->row_of_item[item];
    if (s->slot_of_row[row] == NO_SLOT) {
        s->slot_of_row[row] = b->n_row_slots;
        b->rows[b->n_row_slots++] = row;
    }
    return s->slot_of_row[row];
}

static uint32_t item_slot(struct sampler *s, uint32_t item)
{
    struct batch *b = &s->batch;
    if (s->slot_of_item[item] == NO_SLOT) {
        s->slot_of_item[item] = b->n_item_slots;
        b->items[b->n_item_slots] = item;
        b->item_rows[b->n_item_slots++] = row_slot(s, item);
    }
    return s->slot_of_item[item];
}

static void clear_batch(struct sampler *s)
{
    struct batch *b = &s->batch;
    for (uint32_t i = 0; i < b->n_item_slots; i++)
        s->slot_of_item[b->items[i]] = NO_SLOT;
    for (uint32_t i = 0; i < b->n_row_slots; i++)
        s->slot_of_row[b->rows[i]] = NO_SLOT;
    b->n_item_slots = 0;
    b->n_row_slots = 0;
}

static void draw_negatives(struct sampler *s, struct rng *rng)
{
    uint32_t n_items = s->corpus->n_items;
    uint32_t n = s->shape.n_negatives;
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
    s->batch.n_negative_rows = s->batch.n_row_slots;
}

/* Of n items, at least two: which are targets. One is always an input and another one always a target, and
 * those are drawn first, so that no user has to be drawn again. */
static void draw_split(struct sampler *s, uint32_t user, struct rng *rng)
{
    const struct csr *histories = &s->corpus->histories;
    const uint32_t *items = histories->values + histories->offsets[user];
    uint64_t n = histories->offsets[user + 1] - histories->offsets[user];
    struct batch *b = &s->batch;
    uint32_t u = b->n_users++;
    uint32_t n_inputs = b->input_offsets[u], n_targets = b->target_offsets[u];
    uint64_t sure_input = rng_below(rng, n);
    uint64_t sure_target = (sure_input + 1 + rng_below(rng, n - 1)) % n;
    for (uint64_t k = 0; k < n; k++) {
        bool is_input = rng_double(rng) < s->shape.input_share;
        if ((is_input && k != sure_target) || k == sure_input) {
            b->input_rows[n_inputs] = row_slot(s, items[k]);
            b->input_weights[n_inputs++] = s->corpus->weights[items[k]];
        } else {
            b->target_items[n_targets++] = item_slot(s, items[k]);
        }
    }
    b->input_offsets[u + 1] = n_inputs;
    b->target_offsets[u + 1] = n_targets;
}

const struct batch *sampler_draw(struct sampler *s, const uint32_t *users, uint32_t n_users, struct rng *rng)
{
    clear_batch(s);
    draw_negatives(s, rng);
    s->batch.n_users = 0;
    for (uint32_t u = 0; u < n_users; u++)
        draw_split(s, users[u], rng);
    return &s->batch;
}
