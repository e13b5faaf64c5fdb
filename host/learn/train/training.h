/* How the rows are trained. */
#ifndef LEARN_TRAINING_H
#define LEARN_TRAINING_H

#include <stdint.h>

/* What stands for a user in training and in serving. */
enum backbone {
    BACKBONE_BAG,  /* the bag of its history over the items' rows: new users and fresh clicks are served at
                      once */
    BACKBONE_USER, /* a row of its own, or shared: ids are enough */
    BACKBONE_BOTH, /* the sum of both */
};

struct training {
    enum backbone backbone;
    float temperature; /* tau: a logit is cosine / tau + bias; 0: training_temperature() */
    float row_rate;    /* Adam's learning rate for rows, at its peak */
    float bias_rate;   /* the same for biases */
    float input_share; /* probability that an item of a history goes to the input rather than the targets */
    uint32_t batch_users;
    uint32_t n_negatives;    /* items in the softmax's sum; all of them when there are no more */
    uint32_t teacher_epochs; /* with a row for every item, before the mapping */
    uint32_t mapped_epochs;  /* through the mapping */
    uint32_t user_epochs;    /* with users' rows too, after they were found from their bags */
};

struct training training_default(void);

/* 1.3 / ln n_items. To single out one item, a softmax over n needs logits that spread over about ln n, and
 * cosines spread over 1 between an item that is unrelated and one that matches: the more items, the colder.
 * Colder than that overfits, warmer underfits. By recall@10 on validation Gowalla (41,000 items; this gives
 * 0.12) is best at 0.12 and Amazon Beauty (12,000; 0.14) at 0.14; MovieLens-100k (1,700; 0.18) at 0.3, where
 * it is 3 % of itself better. */
float training_temperature(uint32_t n_items);

#endif
