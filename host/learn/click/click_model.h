/* The click model: the features' embeddings are summed, and the sum compared with the candidate's.
 *
 *     logit(x) = < sum over features f of emb(x_f), emb(x_item) > + bias[x_item]
 *
 * An unknown id has the mean embedding of its space, an unknown item the mean bias too, each id counted as
 * often as it was seen. */
#ifndef LEARN_CLICK_MODEL_H
#define LEARN_CLICK_MODEL_H

#include "base/parallel.h"
#include "learn/click/click_data.h"
#include "learn/map/id_mapping.h"

struct click_model {
    const struct click_data *data;    /* borrowed, as the next */
    const struct id_mapping *mapping; /* of all entries, its rows summed */
    uint32_t dim;
    float *rows;  /* (mapping->n_rows, dim) owned, as the others */
    float *bias;  /* (items seen) */
    float *means; /* (n_spaces, dim), and the mean bias at the end */
};

/* Everything zero. Returns owned. */
enum collide_status click_model_create(const struct click_data *data, const struct id_mapping *mapping,
                                       uint32_t dim, struct click_model *out, struct collide_error *err);
void click_model_free(struct click_model *m);

/* Takes these parameters over, and the means that they have. rows, bias: as the model's. */
void click_model_set(struct click_model *m, const float *rows, const float *bias);

/* out: (dim). */
void click_model_embedding(const struct click_model *m, uint32_t entry, float *out);
float click_model_mean_bias(const struct click_model *m);

/* logits: (examples->n). */
void click_model_logits(const struct click_model *m, const struct click_examples *examples,
                        struct parallel *team, float *logits);

/* The mean log loss of the examples; logits: (examples->n), scratch. */
double click_model_log_loss(const struct click_model *m, const struct click_examples *examples,
                            struct parallel *team, float *logits);

#endif
