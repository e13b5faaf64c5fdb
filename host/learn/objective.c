#include "learn/objective.h"

#include "base/error.h"
#include "learn/vector.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one thread computes for its share of the users; summed over the threads in their order. */
struct share {
    float *logits;          /* (n_users of the share, n_negative_rows): logits, then loss by logit */
    float *direction_grads; /* (n_negative_rows, dim) */
    float *masses;          /* (n_negative_rows): sum over users of loss by logit */
    double loss;
};

struct objective {
    uint32_t dim;
    float inverse_temperature;
    struct parallel *team;
    struct share *shares; /* (n_threads) */
    float *directions;    /* (n_row_slots, dim): normalised rows */
    float *lengths;       /* (n_row_slots): of the rows before */
    float *row_bias;      /* (n_negative_rows): log of the sum of exp(bias) over the row's negatives */
    float *row_share;     /* (n_negatives): exp(bias) over that sum */
    float *users;         /* (n_users, dim): h_u */
    float *bag_lengths;   /* (n_users): of the bags before normalisation */
    float *user_grads;    /* (n_users, dim): loss by h_u, then loss by the bag before normalisation */
    float *row_grads;     /* (n_row_slots, dim) */
    float *bias_grads;    /* (n_item_slots) */
    /* What the running evaluation looks at. */
    const struct batch *batch;
    const float *rows;
    const float *bias;
};

static float *floats(size_t n_rows, size_t n_columns)
{
    return calloc(n_rows * n_columns + 1, sizeof(float));
}

static bool shares_allocate(struct objective *o, const struct batch_limits *limits)
{
    unsigned n_threads = parallel_n_threads(o->team);
    size_t n_users = limits->n_users / n_threads + 1;
    o->shares = calloc(n_threads, sizeof *o->shares);
    if (!o->shares)
        return false;
    for (unsigned t = 0; t < n_threads; t++) {
        struct share *s = &o->shares[t];
        s->logits = floats(n_users, limits->n_negatives);
        s->direction_grads = floats(limits->n_negatives, o->dim);
        s->masses = floats(limits->n_negatives, 1);
        if (!s->logits || !s->direction_grads || !s->masses)
            return false;
    }
    return true;
}

enum collide_status objective_create(const struct batch_limits *limits, uint32_t dim, float temperature,
                                     struct parallel *team, struct objective **out, struct collide_error *err)
{
    struct objective *o = calloc(1, sizeof *o);
    if (!o)
        return error_no_memory(err, "the training step");
    *o = (struct objective){.dim = dim, .inverse_temperature = 1.0f / temperature, .team = team};
    o->directions = floats(limits->n_row_slots, dim);
    o->lengths = floats(limits->n_row_slots, 1);
    o->row_bias = floats(limits->n_negatives, 1);
    o->row_share = floats(limits->n_negatives, 1);
    o->users = floats(limits->n_users, dim);
    o->bag_lengths = floats(limits->n_users, 1);
    o->user_grads = floats(limits->n_users, dim);
    o->row_grads = floats(limits->n_row_slots, dim);
    o->bias_grads = floats(limits->n_item_slots, 1);
    if (!shares_allocate(o, limits) || !o->directions || !o->lengths || !o->row_bias || !o->row_share ||
        !o->users || !o->bag_lengths || !o->user_grads || !o->row_grads || !o->bias_grads) {
        objective_destroy(o);
        return error_no_memory(err, "the training step");
    }
    *out = o;
    return COLLIDE_OK;
}

void objective_destroy(struct objective *o)
{
    if (!o)
        return;
    for (unsigned t = 0; o->shares && t < parallel_n_threads(o->team); t++) {
        free(o->shares[t].logits);
        free(o->shares[t].direction_grads);
        free(o->shares[t].masses);
    }
    free(o->shares);
    free(o->directions);
    free(o->lengths);
    free(o->row_bias);
    free(o->row_share);
    free(o->users);
    free(o->bag_lengths);
    free(o->user_grads);
    free(o->row_grads);
    free(o->bias_grads);
    free(o);
}

static float *at(float *matrix, size_t row, size_t dim)
{
    return matrix + row * dim;
}

static void normalise_rows(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct objective *o = context;
    for (size_t slot = begin; slot < end; slot++) {
        float *direction = at(o->directions, slot, o->dim);
        memcpy(direction, o->rows + (size_t)o->batch->rows[slot] * o->dim, o->dim * sizeof *direction);
        o->lengths[slot] = vector_normalise(direction, o->dim);
    }
}

/* Negatives that share a row differ only by their biases: the row enters the softmax once, with the logarithm
 * of their summed exponentials, and its probability is dealt out among them by row_share. */
static void merge_negatives(struct objective *o)
{
    const struct batch *b = o->batch;
    float largest = -INFINITY;
    for (uint32_t j = 0; j < b->n_negatives; j++) {
        o->row_share[j] = o->bias[b->items[j]];
        largest = fmaxf(largest, o->row_share[j]);
    }
    vector_exp(o->row_share, largest, o->row_share, b->n_negatives);
    memset(o->row_bias, 0, b->n_negative_rows * sizeof *o->row_bias);
    for (uint32_t j = 0; j < b->n_negatives; j++)
        o->row_bias[b->item_rows[j]] += o->row_share[j];
    for (uint32_t j = 0; j < b->n_negatives; j++)
        o->row_share[j] /= o->row_bias[b->item_rows[j]];
    for (uint32_t r = 0; r < b->n_negative_rows; r++)
        o->row_bias[r] = largest + logf(o->row_bias[r]);
}

/* Leaves h_u in o->users and gives the bag's length. */
static float pool_user(struct objective *o, uint32_t u)
{
    const struct batch *b = o->batch;
    float *h = at(o->users, u, o->dim);
    memset(h, 0, o->dim * sizeof *h);
    for (uint32_t k = b->input_offsets[u]; k < b->input_offsets[u + 1]; k++) {
        uint32_t slot = b->input_rows[k];
        vector_add_scaled(b->input_weights[k] * o->lengths[slot], at(o->directions, slot, o->dim), h, o->dim);
    }
    return vector_normalise(h, o->dim);
}

static double target_logits(const struct objective *o, uint32_t u)
{
    const struct batch *b = o->batch;
    double sum = 0.0;
    for (uint32_t k = b->target_offsets[u]; k < b->target_offsets[u + 1]; k++) {
        uint32_t item = b->target_items[k];
        const float *direction = o->directions + (size_t)b->item_rows[item] * o->dim;
        sum +=
            (double)(vector_dot(o->users + (size_t)u * o->dim, direction, o->dim) * o->inverse_temperature +
                     o->bias[b->items[item]]);
    }
    return sum;
}

static uint32_t n_targets(const struct batch *b, uint32_t u)
{
    return b->target_offsets[u + 1] - b->target_offsets[u];
}

/* The weight |T_u|^-1/2 of each of the user's targets in the loss. */
static float target_weight(const struct batch *b, uint32_t u)
{
    return 1.0f / sqrtf((float)n_targets(b, u));
}

/* The logits of one user against the negative rows become the loss by them; gives the user's loss. */
static double softmax_user(const struct objective *o, struct share *s, uint32_t u, float *logits)
{
    const struct batch *b = o->batch;
    float weight = target_weight(b, u), mass = weight * (float)n_targets(b, u);
    float log_sum = vector_softmax(logits, o->row_bias, o->inverse_temperature, mass, b->n_negative_rows);
    vector_add_scaled(1.0f, logits, s->masses, b->n_negative_rows);
    return (double)mass * (double)log_sum - (double)weight * target_logits(o, u);
}

/* The targets' part of the loss by h_u, and the way back through the normalisation to the bag. */
static void finish_user_gradient(struct objective *o, uint32_t u)
{
    const struct batch *b = o->batch;
    const float *h = at(o->users, u, o->dim);
    float *g = at(o->user_grads, u, o->dim);
    float pull = -target_weight(b, u) * o->inverse_temperature;
    for (uint32_t k = b->target_offsets[u]; k < b->target_offsets[u + 1]; k++)
        vector_add_scaled(pull, at(o->directions, b->item_rows[b->target_items[k]], o->dim), g, o->dim);
    vector_add_scaled(-vector_dot(h, g, o->dim), h, g, o->dim);
    vector_scale(o->bag_lengths[u] > 0.0f ? 1.0f / o->bag_lengths[u] : 0.0f, g, o->dim);
}

/* This thread's users against all negatives, in three products: logits S = H E', then H's gradient S' E and
 * E's gradient S'' H, where S has become the loss by logit. */
static void score_users(void *context, unsigned thread, size_t begin, size_t end)
{
    struct objective *o = context;
    const struct batch *b = o->batch;
    struct share *s = &o->shares[thread];
    const int n = (int)(end - begin), m = (int)b->n_negative_rows, dim = (int)o->dim;
    s->loss = 0.0;
    memset(s->masses, 0, b->n_negative_rows * sizeof *s->masses);
    if (n == 0) {
        memset(s->direction_grads, 0, (size_t)b->n_negative_rows * o->dim * sizeof *s->direction_grads);
        return;
    }
    for (size_t u = begin; u < end; u++)
        o->bag_lengths[u] = pool_user(o, (uint32_t)u);
    float *h = at(o->users, begin, o->dim), *g = at(o->user_grads, begin, o->dim);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, dim, 1.0f, h, dim, o->directions, dim, 0.0f,
                s->logits, m);
    for (size_t u = begin; u < end; u++)
        s->loss += softmax_user(o, s, (uint32_t)u, at(s->logits, u - begin, b->n_negative_rows));
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, dim, m, o->inverse_temperature, s->logits, m,
                o->directions, dim, 0.0f, g, dim);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, dim, n, o->inverse_temperature, s->logits, m, h,
                dim, 0.0f, s->direction_grads, dim);
    for (size_t u = begin; u < end; u++)
        finish_user_gradient(o, (uint32_t)u);
}

/* The way back through a row's normalisation: the gradient by its direction becomes that by the row. */
static void unnormalise(struct objective *o, uint32_t slot)
{
    const float *direction = at(o->directions, slot, o->dim);
    float *g = at(o->row_grads, slot, o->dim);
    float inverse_length = o->lengths[slot] > 0.0f ? 1.0f / o->lengths[slot] : 0.0f;
    vector_add_scaled(-vector_dot(direction, g, o->dim), direction, g, o->dim);
    vector_scale(inverse_length, g, o->dim);
}

/* The negatives' parts of row and bias gradients, for the slots that are this thread's. */
static void gather_negatives(struct objective *o, unsigned thread, unsigned n_threads)
{
    const struct batch *b = o->batch;
    for (uint32_t slot = thread; slot < b->n_row_slots; slot += n_threads) {
        float *g = at(o->row_grads, slot, o->dim);
        memset(g, 0, o->dim * sizeof *g);
        for (unsigned t = 0; slot < b->n_negative_rows && t < n_threads; t++)
            vector_add_scaled(1.0f, at(o->shares[t].direction_grads, slot, o->dim), g, o->dim);
    }
    for (uint32_t item = thread; item < b->n_item_slots; item += n_threads) {
        o->bias_grads[item] = 0.0f;
        for (unsigned t = 0; item < b->n_negatives && t < n_threads; t++)
            o->bias_grads[item] += o->row_share[item] * o->shares[t].masses[b->item_rows[item]];
    }
}

static void gather_targets(struct objective *o, unsigned thread, unsigned n_threads)
{
    const struct batch *b = o->batch;
    for (uint32_t u = 0; u < b->n_users; u++) {
        float weight = target_weight(b, u);
        for (uint32_t k = b->target_offsets[u]; k < b->target_offsets[u + 1]; k++) {
            uint32_t item = b->target_items[k], slot = b->item_rows[item];
            if (item % n_threads == thread)
                o->bias_grads[item] -= weight;
            if (slot % n_threads == thread)
                vector_add_scaled(-weight * o->inverse_temperature, at(o->users, u, o->dim),
                                  at(o->row_grads, slot, o->dim), o->dim);
        }
    }
}

static void gather_inputs(struct objective *o, unsigned thread, unsigned n_threads)
{
    const struct batch *b = o->batch;
    for (uint32_t u = 0; u < b->n_users; u++)
        for (uint32_t k = b->input_offsets[u]; k < b->input_offsets[u + 1]; k++)
            if (b->input_rows[k] % n_threads == thread)
                vector_add_scaled(b->input_weights[k], at(o->user_grads, u, o->dim),
                                  at(o->row_grads, b->input_rows[k], o->dim), o->dim);
}

/* Slots are dealt out to threads in turn: each slot's parts are summed by one thread, always in the same
 * order. */
static void gather_gradients(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)begin, (void)end;
    struct objective *o = context;
    unsigned n_threads = parallel_n_threads(o->team);
    gather_negatives(o, thread, n_threads);
    gather_targets(o, thread, n_threads);
    for (uint32_t slot = thread; slot < o->batch->n_row_slots; slot += n_threads)
        unnormalise(o, slot);
    gather_inputs(o, thread, n_threads);
}

struct gradients objective_evaluate(struct objective *o, const struct batch *batch, const float *rows,
                                    const float *bias)
{
    unsigned n_threads = parallel_n_threads(o->team);
    o->batch = batch;
    o->rows = rows;
    o->bias = bias;
    parallel_for(o->team, batch->n_row_slots, normalise_rows, o);
    merge_negatives(o);
    parallel_for(o->team, batch->n_users, score_users, o);
    parallel_for(o->team, n_threads, gather_gradients, o);
    struct gradients g = {.rows = o->row_grads, .bias = o->bias_grads};
    for (unsigned t = 0; t < n_threads; t++)
        g.loss += o->shares[t].loss;
    for (uint32_t u = 0; u < batch->n_users; u++)
        g.target_mass += sqrt((double)n_targets(batch, u));
    return g;
}
