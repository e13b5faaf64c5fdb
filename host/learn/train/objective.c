#include "learn/train/objective.h"

#include "base/error.h"
#include "learn/train/vector.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one thread computes for its share of the users; summed over the threads in their order. */
struct share {
    float *logits;          /* (n_users of the share, n_negative_embeddings): logits, then loss by logit */
    float *direction_grads; /* (n_negative_embeddings, dim) */
    float *masses;          /* (n_negative_embeddings): sum over users of loss by logit */
    double loss;
};

struct objective {
    uint32_t dim;
    enum item_lengths item_lengths;
    float inverse_temperature;
    struct parallel *team;
    struct share *shares; /* (n_threads) */
    float *directions;    /* (n_embeddings, dim): what items are scored by */
    float *lengths;       /* (n_embeddings): of the embeddings, by directions */
    float *shared_bias;   /* (n_negative_embeddings): log of the sum of exp(bias) over its negatives */
    float *bias_share;    /* (n_negatives): exp(bias) over that sum */
    float *users;         /* (n_users, dim): h_u */
    float *bag_lengths;   /* (n_users): of the bags before normalisation */
    float *user_grads;    /* (n_users, dim): loss by h_u, then loss by the bag before normalisation */
    float *item_grads;    /* (n_embeddings, dim) */
    float *bias_grads;    /* (n_item_slots) */
    /* What the running evaluation looks at. */
    const struct batch *batch;
    const struct parameters *at;
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

enum collide_status objective_create(const struct batch_limits *limits,
                                     const struct objective_options *options, struct parallel *team,
                                     struct objective **out, struct collide_error *err)
{
    struct objective *o = calloc(1, sizeof *o);
    if (!o)
        return error_no_memory(err, "the training step");
    const uint32_t dim = options->dim;
    *o = (struct objective){.dim = dim,
                            .item_lengths = options->item_lengths,
                            .inverse_temperature = 1.0f / options->temperature,
                            .team = team};
    o->directions = floats(limits->n_item_slots, dim);
    o->lengths = floats(limits->n_item_slots, 1);
    o->shared_bias = floats(limits->n_negatives, 1);
    o->bias_share = floats(limits->n_negatives, 1);
    o->users = floats(limits->n_users, dim);
    o->bag_lengths = floats(limits->n_users, 1);
    o->user_grads = floats(limits->n_users, dim);
    o->item_grads = floats(limits->n_item_slots, dim);
    o->bias_grads = floats(limits->n_item_slots, 1);
    if (!shares_allocate(o, limits) || !o->directions || !o->lengths || !o->shared_bias || !o->bias_share ||
        !o->users || !o->bag_lengths || !o->user_grads || !o->item_grads || !o->bias_grads) {
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
    free(o->shared_bias);
    free(o->bias_share);
    free(o->users);
    free(o->bag_lengths);
    free(o->user_grads);
    free(o->item_grads);
    free(o->bias_grads);
    free(o);
}

static float *at(float *matrix, size_t row, size_t dim)
{
    return matrix + row * dim;
}

static void find_directions(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct objective *o = context;
    memcpy(at(o->directions, begin, o->dim), o->at->embeddings + begin * o->dim,
           (end - begin) * o->dim * sizeof *o->directions);
    for (size_t slot = begin; slot < end; slot++)
        o->lengths[slot] = vector_normalise(at(o->directions, slot, o->dim), o->dim);
}

/* Negatives that share an embedding differ only by their biases: it enters the softmax once, with the
 * logarithm of their summed exponentials, and its probability is dealt out among them by bias_share. */
static void merge_negatives(struct objective *o)
{
    const struct batch *b = o->batch;
    float largest = -INFINITY;
    for (uint32_t j = 0; j < b->n_negatives; j++) {
        o->bias_share[j] = o->at->bias[b->items[j]];
        largest = fmaxf(largest, o->bias_share[j]);
    }
    vector_exp(o->bias_share, largest, o->bias_share, b->n_negatives);
    memset(o->shared_bias, 0, b->n_negative_embeddings * sizeof *o->shared_bias);
    for (uint32_t j = 0; j < b->n_negatives; j++)
        o->shared_bias[b->item_embeddings[j]] += o->bias_share[j];
    for (uint32_t j = 0; j < b->n_negatives; j++)
        o->bias_share[j] /= o->shared_bias[b->item_embeddings[j]];
    for (uint32_t r = 0; r < b->n_negative_embeddings; r++)
        o->shared_bias[r] = largest + logf(o->shared_bias[r]);
}

/* Leaves h_u in o->users and gives the bag's length. */
static float pool_user(struct objective *o, uint32_t u)
{
    const struct batch *b = o->batch;
    float *h = at(o->users, u, o->dim);
    if (o->at->users)
        memcpy(h, o->at->users + (size_t)u * o->dim, o->dim * sizeof *h);
    else
        memset(h, 0, o->dim * sizeof *h);
    for (uint32_t k = b->input_offsets[u]; k < b->input_offsets[u + 1]; k++) {
        uint32_t slot = b->input_embeddings[k];
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
        const float *direction = o->directions + (size_t)b->item_embeddings[item] * o->dim;
        sum +=
            (double)(vector_dot(o->users + (size_t)u * o->dim, direction, o->dim) * o->inverse_temperature +
                     o->at->bias[b->items[item]]);
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
    float log_sum =
        vector_softmax(logits, o->shared_bias, o->inverse_temperature, mass, b->n_negative_embeddings);
    vector_add_scaled(1.0f, logits, s->masses, b->n_negative_embeddings);
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
        vector_add_scaled(pull, at(o->directions, b->item_embeddings[b->target_items[k]], o->dim), g, o->dim);
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
    const int n = (int)(end - begin), m = (int)b->n_negative_embeddings, dim = (int)o->dim;
    s->loss = 0.0;
    memset(s->masses, 0, b->n_negative_embeddings * sizeof *s->masses);
    if (n == 0) {
        memset(s->direction_grads, 0, (size_t)b->n_negative_embeddings * o->dim * sizeof *s->direction_grads);
        return;
    }
    for (size_t u = begin; u < end; u++)
        o->bag_lengths[u] = pool_user(o, (uint32_t)u);
    float *h = at(o->users, begin, o->dim), *g = at(o->user_grads, begin, o->dim);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, dim, 1.0f, h, dim, o->directions, dim, 0.0f,
                s->logits, m);
    for (size_t u = begin; u < end; u++)
        s->loss += softmax_user(o, s, (uint32_t)u, at(s->logits, u - begin, b->n_negative_embeddings));
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, dim, m, o->inverse_temperature, s->logits, m,
                o->directions, dim, 0.0f, g, dim);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, dim, n, o->inverse_temperature, s->logits, m, h,
                dim, 0.0f, s->direction_grads, dim);
    for (size_t u = begin; u < end; u++)
        finish_user_gradient(o, (uint32_t)u);
}

/* The way back through an embedding's normalisation: the gradient by its direction becomes that by itself. */
static void unnormalise(struct objective *o, uint32_t slot)
{
    const float *direction = at(o->directions, slot, o->dim);
    float *g = at(o->item_grads, slot, o->dim);
    float inverse_length = o->lengths[slot] > 0.0f ? 1.0f / o->lengths[slot] : 0.0f;
    vector_add_scaled(-vector_dot(direction, g, o->dim), direction, g, o->dim);
    vector_scale(inverse_length, g, o->dim);
}

/* The negatives' parts of item and bias gradients, for the slots that are this thread's. */
static void gather_negatives(struct objective *o, unsigned thread, unsigned n_threads)
{
    const struct batch *b = o->batch;
    for (uint32_t slot = thread; slot < b->n_embeddings; slot += n_threads) {
        float *g = at(o->item_grads, slot, o->dim);
        memset(g, 0, o->dim * sizeof *g);
        for (unsigned t = 0; slot < b->n_negative_embeddings && t < n_threads; t++)
            vector_add_scaled(1.0f, at(o->shares[t].direction_grads, slot, o->dim), g, o->dim);
    }
    for (uint32_t item = thread; item < b->n_item_slots; item += n_threads) {
        o->bias_grads[item] = 0.0f;
        for (unsigned t = 0; item < b->n_negatives && t < n_threads; t++)
            o->bias_grads[item] += o->bias_share[item] * o->shares[t].masses[b->item_embeddings[item]];
    }
}

static void gather_targets(struct objective *o, unsigned thread, unsigned n_threads)
{
    const struct batch *b = o->batch;
    for (uint32_t u = 0; u < b->n_users; u++) {
        float weight = target_weight(b, u);
        for (uint32_t k = b->target_offsets[u]; k < b->target_offsets[u + 1]; k++) {
            uint32_t item = b->target_items[k], slot = b->item_embeddings[item];
            if (item % n_threads == thread)
                o->bias_grads[item] -= weight;
            if (slot % n_threads == thread)
                vector_add_scaled(-weight * o->inverse_temperature, at(o->users, u, o->dim),
                                  at(o->item_grads, slot, o->dim), o->dim);
        }
    }
}

static void gather_inputs(struct objective *o, unsigned thread, unsigned n_threads)
{
    const struct batch *b = o->batch;
    for (uint32_t u = 0; u < b->n_users; u++)
        for (uint32_t k = b->input_offsets[u]; k < b->input_offsets[u + 1]; k++)
            if (b->input_embeddings[k] % n_threads == thread)
                vector_add_scaled(b->input_weights[k], at(o->user_grads, u, o->dim),
                                  at(o->item_grads, b->input_embeddings[k], o->dim), o->dim);
}

/* The sum of what these slots' lengths cost. */
static double hold_lengths(struct objective *o, unsigned thread, unsigned n_threads)
{
    double loss = 0.0;
    for (uint32_t slot = thread; slot < o->batch->n_embeddings; slot += n_threads) {
        float beyond = o->lengths[slot] * o->lengths[slot] - 1.0f;
        vector_add_scaled(beyond * o->lengths[slot], at(o->directions, slot, o->dim),
                          at(o->item_grads, slot, o->dim), o->dim);
        loss += 0.25 * (double)beyond * (double)beyond;
    }
    return loss;
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
    for (uint32_t slot = thread; slot < o->batch->n_embeddings; slot += n_threads)
        unnormalise(o, slot);
    gather_inputs(o, thread, n_threads);
    if (o->item_lengths == ITEM_LENGTHS_NEAR_ONE)
        o->shares[thread].loss += hold_lengths(o, thread, n_threads);
}

struct gradients objective_evaluate(struct objective *o, const struct batch *batch,
                                    const struct parameters *parameters)
{
    unsigned n_threads = parallel_n_threads(o->team);
    o->batch = batch;
    o->at = parameters;
    parallel_for(o->team, batch->n_embeddings, find_directions, o);
    merge_negatives(o);
    parallel_for(o->team, batch->n_users, score_users, o);
    parallel_for(o->team, n_threads, gather_gradients, o);
    struct gradients g = {.embeddings = o->item_grads, .users = o->user_grads, .bias = o->bias_grads};
    for (unsigned t = 0; t < n_threads; t++)
        g.loss += o->shares[t].loss;
    for (uint32_t u = 0; u < batch->n_users; u++)
        g.target_mass += sqrt((double)n_targets(batch, u));
    return g;
}
