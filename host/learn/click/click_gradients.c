#include "learn/click/click_gradients.h"

#include "base/error.h"
#include "learn/click/click_metrics.h"
#include "learn/train/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct click_gradients {
    uint32_t dim;
    const struct click_batch *batch;
    float *sums;       /* (max_examples, dim): of the features' embeddings */
    float *slopes;     /* (max_examples): of an example's part of the loss by its logit */
    float *embeddings; /* (max_examples * n_spaces, dim) */
    float *biases;     /* (max_examples) */
};

enum collide_status click_gradients_create(uint32_t max_examples, uint32_t n_spaces, uint32_t dim,
                                           struct click_gradients **out, struct collide_error *err)
{
    struct click_gradients *g = calloc(1, sizeof *g);
    if (!g)
        return error_no_memory(err, "the gradients");
    const size_t n = max_examples;
    *g = (struct click_gradients){.dim = dim};
    g->sums = malloc(n * dim * sizeof *g->sums);
    g->slopes = malloc(n * sizeof *g->slopes);
    g->embeddings = malloc(n * n_spaces * dim * sizeof *g->embeddings);
    g->biases = malloc(n * sizeof *g->biases);
    if (!g->sums || !g->slopes || !g->embeddings || !g->biases) {
        click_gradients_destroy(g);
        return error_no_memory(err, "the gradients");
    }
    *out = g;
    return COLLIDE_OK;
}

void click_gradients_destroy(struct click_gradients *g)
{
    if (!g)
        return;
    free(g->sums);
    free(g->slopes);
    free(g->embeddings);
    free(g->biases);
    free(g);
}

static const float *embedding(const struct click_gradients *g, uint32_t slot)
{
    return g->batch->embeddings + (size_t)slot * g->dim;
}

/* Gives the sum of the examples' losses. */
static double score(struct click_gradients *g)
{
    const struct click_batch *b = g->batch;
    double loss = 0.0;
    for (uint32_t i = 0; i < b->n; i++) {
        const uint32_t *slots = b->slots + (size_t)i * b->n_spaces;
        float *sum = g->sums + (size_t)i * g->dim;
        memset(sum, 0, g->dim * sizeof *sum);
        for (uint32_t f = 1; f < b->n_spaces; f++)
            vector_add_scaled(1.0f, embedding(g, slots[f]), sum, g->dim);
        float bias = b->biases[b->bias_slots[i]];
        double logit = (double)(vector_dot(sum, embedding(g, slots[0]), g->dim) + bias);
        loss += click_log_loss(logit, b->is_click[i]);
        g->slopes[i] = (float)((1.0 / (1.0 + exp(-logit)) - b->is_click[i]) / b->n);
    }
    return loss;
}

static void gather_embeddings(struct click_gradients *g)
{
    const struct click_batch *b = g->batch;
    const float l2 = b->l2 / (float)b->n;
    memset(g->embeddings, 0, (size_t)b->n_slots * g->dim * sizeof *g->embeddings);
    for (uint32_t i = 0; i < b->n; i++) {
        const uint32_t *slots = b->slots + (size_t)i * b->n_spaces;
        for (uint32_t s = 0; s < b->n_spaces; s++) {
            float *out = g->embeddings + (size_t)slots[s] * g->dim;
            const float *other = s == 0 ? g->sums + (size_t)i * g->dim : embedding(g, slots[0]);
            vector_add_scaled(g->slopes[i], other, out, g->dim);
            vector_add_scaled(l2, embedding(g, slots[s]), out, g->dim);
            out[0] -= s == 0 ? l2 : 0.0f;
        }
    }
}

static void gather_biases(struct click_gradients *g)
{
    const struct click_batch *b = g->batch;
    memset(g->biases, 0, b->n_bias_slots * sizeof *g->biases);
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t slot = b->bias_slots[i];
        g->biases[slot] += g->slopes[i] + b->l2 / (float)b->n * (b->biases[slot] - b->bias_0);
    }
}

struct click_result click_gradients_evaluate(struct click_gradients *g, const struct click_batch *batch)
{
    g->batch = batch;
    double loss = score(g);
    gather_embeddings(g);
    gather_biases(g);
    return (struct click_result){g->embeddings, g->biases, loss / batch->n};
}
