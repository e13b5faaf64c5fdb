/* The loss of a batch and its gradients: a user is its own embedding, or the bag of its input items, or both,
 * scored against its targets with a sampled softmax.
 *
 *     h_u   = normalise( user_u + sum over inputs i of w_i emb(i) )
 *     s_ui  = < h_u, normalise(emb(i)) > / tau + bias[i]
 *     loss  = sum_u |T_u|^-1/2 sum over targets i of ( -s_ui + log sum over negatives j of exp(s_uj) )
 *
 * and, where lengths are to stay near 1, the sum over the batch's embeddings of (|emb|^2 - 1)^2 / 4.
 */
#ifndef LEARN_OBJECTIVE_H
#define LEARN_OBJECTIVE_H

#include "base/parallel.h"
#include "learn/train/batch.h"

/* Items are scored by their embeddings' directions here. A model scores them by products with what is stored:
 * with rows of length 1, or with sums of rows, which are the better the nearer their lengths are to 1. */
enum item_lengths { ITEM_LENGTHS_ONE, ITEM_LENGTHS_NEAR_ONE };

struct objective_options {
    uint32_t dim;
    float temperature;
    enum item_lengths item_lengths;
};

struct objective;

/* Borrows the team while it lives. Returns owned. */
enum collide_status objective_create(const struct batch_limits *limits,
                                     const struct objective_options *options, struct parallel *team,
                                     struct objective **out, struct collide_error *err);
void objective_destroy(struct objective *o);

/* Gradients by the batch's slots, valid until the next evaluation. */
struct gradients {
    const float *embeddings; /* (n_embeddings, dim) of the loss by an item's embedding */
    const float *users;      /* (n_users, dim) of the loss by a user's embedding */
    const float *bias;       /* (n_item_slots) of the loss by bias[batch->items[slot]] */
    double loss;             /* as above */
    double target_mass;      /* sum_u |T_u|^1/2, what to divide the loss by to read it as nats per target */
};

/* What a batch is evaluated at; all borrowed. */
struct parameters {
    const float *embeddings; /* (n_embeddings, dim) */
    const float *users;      /* (n_users, dim), or NULL: zero */
    const float *bias;       /* (n_items) */
};

/* The same batch, parameters and team size give the same bits. */
struct gradients objective_evaluate(struct objective *o, const struct batch *batch,
                                    const struct parameters *parameters);

#endif
