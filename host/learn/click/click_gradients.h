/* The loss of a batch of examples and its gradients.
 *
 *     loss = 1/n sum over examples x of  log_loss(x) + l2 / 2 ( sum over features |emb(x_f)|^2
 *                                        + |emb(x_item) - e_0|^2 + (bias[x_item] - bias_0)^2 )
 *
 * e_0 is 1 in dimension 0 and else 0, where the items start; so the l2 pulls towards a model whose features
 * add what they add whatever the item. */
#ifndef LEARN_CLICK_GRADIENTS_H
#define LEARN_CLICK_GRADIENTS_H

#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>

/* All borrowed. Embeddings and biases are numbered by slots. */
struct click_batch {
    uint32_t n;
    uint32_t n_spaces;
    const uint32_t *slots;      /* (n, n_spaces), the item's first */
    const uint32_t *bias_slots; /* (n) */
    const uint8_t *is_click;    /* (n) */
    const float *embeddings;    /* (n_slots, dim) */
    const float *biases;        /* (n_bias_slots) */
    uint32_t n_slots;
    uint32_t n_bias_slots;
    float l2;
    float bias_0;
};

struct click_gradients;

/* For batches of up to max_examples. Returns owned. */
enum collide_status click_gradients_create(uint32_t max_examples, uint32_t n_spaces, uint32_t dim,
                                           struct click_gradients **out, struct collide_error *err);
void click_gradients_destroy(struct click_gradients *g);

/* Valid until the next evaluation. */
struct click_result {
    const float *embeddings; /* (n_slots, dim) of the loss by each embedding */
    const float *biases;     /* (n_bias_slots) */
    double log_loss;         /* without l2 */
};

/* One thread at a time: batches are small. */
struct click_result click_gradients_evaluate(struct click_gradients *g, const struct click_batch *batch);

#endif
