#include "learn/train/embedder.h"

#include "base/error.h"
#include "base/least.h"
#include "learn/train/adam_table.h"
#include "learn/train/fake_quantize.h"
#include "learn/train/vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_SLOT UINT32_MAX

/* A numbering of those that a batch touches. */
struct slots {
    uint32_t *of;      /* (n) NO_SLOT but for the batch's */
    uint32_t *members; /* (n_members) */
    uint32_t n_members;
};

struct embedder {
    struct embedder_options options;
    struct parallel *team;
    struct adam_table table;
    struct adam_table weights; /* (n_ids, n_lookups); or empty */
    bool embeds_rows;          /* embeddings are rows, and their slots the rows'; else they are ids' */
    uint32_t part_lookups;     /* lookups of a part */
    struct slots ids, rows;
    uint32_t *slot_rows; /* (n_slots, n_lookups) row slots; not used where embeddings are rows */
    float *stored;       /* (n_row_slots, width) rows as if stored; or NULL */
    float *vectors;      /* (n_slots, dim) */
    float *row_grads;    /* (n_row_slots, width); not used where embeddings are rows */
    /* Of the running step. */
    const float *gradients;
    float rate;
};

static bool slots_create(struct slots *s, uint32_t n, uint32_t max_members)
{
    s->of = malloc((n + 1ull) * sizeof *s->of);
    s->members = malloc((max_members + 1ull) * sizeof *s->members);
    if (!s->of || !s->members)
        return false;
    memset(s->of, 0xff, (n + 1ull) * sizeof *s->of);
    return true;
}

static void slots_free(struct slots *s)
{
    free(s->of);
    free(s->members);
}

static void slots_clear(struct slots *s)
{
    for (uint32_t i = 0; i < s->n_members; i++)
        s->of[s->members[i]] = NO_SLOT;
    s->n_members = 0;
}

/* True if it is a new one. */
static bool slots_take(struct slots *s, uint32_t member, uint32_t *slot)
{
    *slot = s->of[member];
    if (*slot != NO_SLOT)
        return false;
    *slot = s->of[member] = s->n_members;
    s->members[s->n_members++] = member;
    return true;
}

static bool allocate(struct embedder *e)
{
    const struct embedder_options *o = &e->options;
    const struct id_mapping *m = o->mapping;
    const size_t n_slots = o->max_slots, n_rows = least(n_slots * m->n_lookups, m->n_rows);
    e->vectors = calloc(n_slots * o->dim + 1, sizeof *e->vectors);
    bool complete = e->vectors && slots_create(&e->rows, m->n_rows, (uint32_t)n_rows) &&
                    adam_table_create(&e->table, m->n_rows, m->width);
    if (complete && !e->embeds_rows) {
        e->slot_rows = malloc((n_slots * m->n_lookups + 1) * sizeof *e->slot_rows);
        e->row_grads = calloc(n_rows * m->width + 1, sizeof *e->row_grads);
        complete = e->slot_rows && e->row_grads && slots_create(&e->ids, m->n_ids, o->max_slots);
    }
    if (complete && m->lookup_weights)
        complete = adam_table_create(&e->weights, m->n_ids, m->n_lookups);
    if (complete && o->row_bits) {
        e->stored = malloc((n_rows * m->width + 1) * sizeof *e->stored);
        complete = e->stored != NULL;
    }
    return complete;
}

static void start(struct embedder *e, struct rng *rng)
{
    const struct id_mapping *m = e->options.mapping;
    const size_t n = (size_t)m->n_rows * m->width;
    if (m->lookup_weights)
        memcpy(e->weights.x, m->lookup_weights, (size_t)m->n_ids * m->n_lookups * sizeof *m->lookup_weights);
    if (m->rows) {
        memcpy(e->table.x, m->rows, n * sizeof *m->rows);
        return;
    }
    for (size_t i = 0; i < n; i++)
        e->table.x[i] = (float)rng_normal(rng);
    for (size_t r = 0; r < m->n_rows; r++)
        vector_normalise(e->table.x + r * m->width, m->width);
    if (m->n_parts > 1)
        vector_scale(1.0f / sqrtf((float)m->n_parts), e->table.x, n);
}

enum collide_status embedder_create(const struct embedder_options *options, struct rng *rng,
                                    struct parallel *team, struct embedder **out, struct collide_error *err)
{
    struct embedder *e = calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, "the rows in training");
    e->options = *options;
    e->team = team;
    e->embeds_rows = options->mapping->n_lookups == 1 && !options->mapping->lookup_weights;
    e->part_lookups = options->mapping->n_lookups / options->mapping->n_parts;
    if (options->max_slots == UINT32_MAX || !allocate(e)) {
        embedder_destroy(e);
        return error_no_memory(err, "the rows in training");
    }
    start(e, rng);
    *out = e;
    return COLLIDE_OK;
}

void embedder_destroy(struct embedder *e)
{
    if (!e)
        return;
    adam_table_free(&e->table);
    adam_table_free(&e->weights);
    slots_free(&e->ids);
    slots_free(&e->rows);
    free(e->slot_rows);
    free(e->stored);
    free(e->vectors);
    free(e->row_grads);
    free(e);
}

float *embedder_rows(struct embedder *e)
{
    return e->table.x;
}

float *embedder_lookup_weights(struct embedder *e)
{
    return e->weights.x;
}

void embedder_state(struct embedder *e, enum state_extent extent, const char *owner,
                    struct training_state *out)
{
    char weights[STATE_NAME_BYTES];
    snprintf(weights, sizeof weights, "%s.weights", owner);
    adam_table_state(&e->table, extent, owner, out);
    adam_table_state(&e->weights, extent, weights, out);
}

void embedder_clear(struct embedder *e)
{
    slots_clear(&e->ids);
    slots_clear(&e->rows);
}

uint32_t embedder_take(struct embedder *e, uint32_t id)
{
    const struct id_mapping *m = e->options.mapping;
    uint32_t slot;
    if (e->embeds_rows) {
        slots_take(&e->rows, m->rows_of[id], &slot);
        return slot;
    }
    if (slots_take(&e->ids, id, &slot))
        for (uint32_t l = 0; l < m->n_lookups; l++)
            slots_take(&e->rows, m->rows_of[(size_t)id * m->n_lookups + l],
                       &e->slot_rows[(size_t)slot * m->n_lookups + l]);
    return slot;
}

uint32_t embedder_n_slots(const struct embedder *e)
{
    return e->embeds_rows ? e->rows.n_members : e->ids.n_members;
}

/* ---- From rows to embeddings. */

static const float *row_of_slot(const struct embedder *e, uint32_t row_slot)
{
    const size_t width = e->table.width;
    return e->stored ? e->stored + row_slot * width : e->table.x + e->rows.members[row_slot] * width;
}

static void store_rows(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct embedder *e = context;
    const size_t width = e->table.width;
    for (size_t slot = begin; slot < end; slot++)
        fake_quantize(e->options.row_bits, e->table.x + e->rows.members[slot] * width, (uint32_t)width,
                      e->stored + slot * width);
}

/* The lookups of one part of an embedding, the one that l is of. */
struct part {
    uint32_t first, end;
    size_t at; /* where it stands in the embedding */
};

static struct part part_of(const struct embedder *e, uint32_t l)
{
    const uint32_t part = l / e->part_lookups, first = part * e->part_lookups;
    return (struct part){first, first + e->part_lookups, (size_t)part * e->table.width};
}

/* (n_lookups) of the slot's id; or NULL. */
static const float *weights_of_slot(const struct embedder *e, size_t slot)
{
    return e->weights.x ? e->weights.x + e->ids.members[slot] * e->weights.width : NULL;
}

static void combine_part(const struct embedder *e, size_t slot, const struct part *part, float *out)
{
    const struct id_mapping *m = e->options.mapping;
    const uint32_t *rows = e->slot_rows + slot * m->n_lookups;
    const float *weights = weights_of_slot(e, slot);
    memcpy(out, row_of_slot(e, rows[part->first]), m->width * sizeof *out);
    if (weights)
        vector_scale(weights[part->first], out, m->width);
    for (uint32_t l = part->first + 1; l < part->end; l++) {
        if (m->combine == COMBINE_MULTIPLY)
            vector_multiply(row_of_slot(e, rows[l]), out, m->width);
        else
            vector_add_scaled(weights ? weights[l] : 1.0f, row_of_slot(e, rows[l]), out, m->width);
    }
}

static void combine_rows(const struct embedder *e, size_t slot, float *out)
{
    const struct id_mapping *m = e->options.mapping;
    for (uint32_t l = 0; l < m->n_lookups;) {
        struct part part = part_of(e, l);
        combine_part(e, slot, &part, out + part.at);
        l = part.end;
    }
}

static void gather_vectors(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct embedder *e = context;
    const uint32_t dim = e->options.dim;
    for (size_t slot = begin; slot < end; slot++) {
        if (e->embeds_rows)
            memcpy(e->vectors + slot * dim, row_of_slot(e, (uint32_t)slot), dim * sizeof *e->vectors);
        else
            combine_rows(e, slot, e->vectors + slot * dim);
    }
}

const float *embedder_gather(struct embedder *e)
{
    if (e->stored)
        parallel_for(e->team, e->rows.n_members, store_rows, e);
    parallel_for(e->team, embedder_n_slots(e), gather_vectors, e);
    return e->vectors;
}

/* ---- From the embeddings' gradients to the rows'. */

/* The gradient by lookup l's row: its part's, times the lookup's weight; of a product, times the part's other
 * rows. */
static void add_row_gradient(const struct embedder *e, size_t slot, uint32_t l, const float *gradient)
{
    const struct id_mapping *m = e->options.mapping;
    const uint32_t *rows = e->slot_rows + slot * m->n_lookups;
    const float *weights = weights_of_slot(e, slot);
    const struct part part = part_of(e, l);
    float *out = e->row_grads + (size_t)rows[l] * m->width, product[MODEL_MAX_DIM];
    if (m->combine != COMBINE_MULTIPLY) {
        vector_add_scaled(weights ? weights[l] : 1.0f, gradient + part.at, out, m->width);
        return;
    }
    memcpy(product, gradient + part.at, m->width * sizeof *product);
    for (uint32_t other = part.first; other < part.end; other++)
        if (other != l)
            vector_multiply(row_of_slot(e, rows[other]), product, m->width);
    vector_add_scaled(1.0f, product, out, m->width);
}

/* Row slots are dealt out to threads in turn: each row's parts are summed by one thread, always in the same
 * order. */
static void gather_row_gradients(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)begin, (void)end;
    const struct embedder *e = context;
    const struct id_mapping *m = e->options.mapping;
    const unsigned n_threads = parallel_n_threads(e->team);
    for (uint32_t row = thread; row < e->rows.n_members; row += n_threads)
        memset(e->row_grads + (size_t)row * m->width, 0, m->width * sizeof *e->row_grads);
    for (size_t slot = 0; slot < e->ids.n_members; slot++)
        for (uint32_t l = 0; l < m->n_lookups; l++)
            if (e->slot_rows[slot * m->n_lookups + l] % n_threads == thread)
                add_row_gradient(e, slot, l, e->gradients + slot * e->options.dim);
}

/* By a lookup's weight: the part's gradient along the row. */
static void step_weights(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct embedder *e = context;
    const struct id_mapping *m = e->options.mapping;
    float by_weight[MODEL_MAX_LOOKUPS];
    for (size_t slot = begin; slot < end; slot++) {
        const float *gradient = e->gradients + slot * e->options.dim;
        for (uint32_t l = 0; l < m->n_lookups; l++)
            by_weight[l] = vector_dot(gradient + part_of(e, l).at,
                                      row_of_slot(e, e->slot_rows[slot * m->n_lookups + l]), m->width);
        adam_table_step(&e->weights, e->ids.members[slot], e->rate, by_weight);
    }
}

static void step_rows(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)begin, (void)end;
    struct embedder *e = context;
    const unsigned n_threads = parallel_n_threads(e->team);
    const float *gradients = e->embeds_rows ? e->gradients : e->row_grads;
    for (uint32_t row = thread; row < e->rows.n_members; row += n_threads)
        adam_table_step(&e->table, e->rows.members[row], e->rate, gradients + row * e->table.width);
}

void embedder_step(struct embedder *e, const float *gradients, float rate)
{
    e->gradients = gradients;
    e->rate = rate;
    /* The gradients of rows look at weights, and those of weights at rows, both before their step. */
    if (!e->embeds_rows)
        parallel_for(e->team, parallel_n_threads(e->team), gather_row_gradients, e);
    if (e->weights.x)
        parallel_for(e->team, e->ids.n_members, step_weights, e);
    parallel_for(e->team, parallel_n_threads(e->team), step_rows, e);
}
