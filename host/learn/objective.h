/* The loss of a batch and its gradients: a user is the bag of its input items, scored against its targets
 * with a sampled softmax.
 *
 *     h_u   = normalise( sum over inputs i of w_i W[map[i]] )
 *     s_ui  = < h_u, normalise(W[map[i]]) > / tau + bias[i]
 *     loss  = sum_u |T_u|^-1/2 sum over targets i of ( -s_ui + log sum over negatives j of exp(s_uj) )
 */
#ifndef LEARN_OBJECTIVE_H
#define LEARN_OBJECTIVE_H

#include "base/parallel.h"
#include "learn/batch.h"

struct objective;

/* Borrows the team while it lives. Returns owned. */
enum collide_status objective_create(const struct batch_limits *limits, uint32_t dim, float temperature,
                                     struct parallel *team, struct objective **out,
                                     struct collide_error *err);
void objective_destroy(struct objective *o);

/* Gradients by the batch's slots, valid until the next evaluation. */
struct gradients {
    const float *rows;  /* (n_row_slots, dim) of the loss by W[batch->rows[slot]] */
    const float *bias;  /* (n_item_slots) of the loss by bias[batch->items[slot]] */
    double loss;        /* as above */
    double target_mass; /* sum_u |T_u|^1/2, what to divide the loss by to read it as nats per target */
};

/* rows: (n_rows, dim), bias: (n_items). The same batch, table and team size give the same bits. */
struct gradients objective_evaluate(struct objective *o, const struct batch *batch, const float *rows,
                                    const float *bias);

#endif
