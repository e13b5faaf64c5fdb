/* Training a click model: Adam on mini-batches, until the held-out examples say that it is enough. */
#ifndef LEARN_CLICK_TRAINER_H
#define LEARN_CLICK_TRAINER_H

#include "learn/click/click_model.h"

struct click_training {
    uint32_t batch;
    float row_rate;    /* Adam's */
    float bias_rate;   /* the same for biases */
    float l2;          /* see click_gradients.h */
    uint32_t n_epochs; /* at most */
    uint32_t patience; /* epochs without a better one that end it; more where these are few steps */
};

struct click_training click_training_default(void);

/* All borrowed. */
struct click_trainer_problem {
    const struct click_data *data;
    const struct id_mapping *mapping; /* of its entries, with rows to start from */
    const float *bias;                /* (items seen) to start from; NULL: the base rate */
    uint32_t dim;
    uint64_t seed;
};

struct click_fit {
    double val_loss; /* mean log loss of the held-out examples after the best epoch */
    uint32_t epoch;  /* that one, from 1; 0: the start was best */
    float l2;
};

/* model has the parameters of the best epoch; it borrows the problem's data and mapping. By one thread:
 * steps are small. COLLIDE_INVALID: training diverged. */
enum collide_status click_train(const struct click_trainer_problem *problem,
                                const struct click_training *training, const char *label,
                                struct click_model *model, struct click_fit *fit, struct collide_error *err);

#endif
