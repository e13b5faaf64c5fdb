/* How the rows are trained. The defaults serve logs of very different sizes alike; see docs/LEARN.md. */
#ifndef LEARN_TRAINING_H
#define LEARN_TRAINING_H

#include <stdint.h>

struct training {
    float temperature; /* tau: a logit is cosine / tau + bias */
    float row_rate;    /* Adam's learning rate for rows, at its peak */
    float bias_rate;   /* the same for biases */
    float input_share; /* probability that an item of a history goes to the input rather than the targets */
    uint32_t batch_users;
    uint32_t n_negatives;    /* items in the softmax's sum; all of them when there are no more */
    uint32_t teacher_epochs; /* with a row for every item, before the mapping */
    uint32_t mapped_epochs;  /* through the mapping */
};

struct training training_default(void);

#endif
