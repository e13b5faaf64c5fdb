/* Training with several strengths of regularisation, and keeping the best. */
#ifndef LEARN_CLICK_SEARCH_H
#define LEARN_CLICK_SEARCH_H

#include "learn/click/click_trainer.h"

struct click_search {
    const struct click_trainer_problem *problem;
    struct click_training training; /* its l2 is not used */
    const float *l2;                /* (n_l2) to choose from */
    size_t n_l2;
    const char *label;
};

/* As click_train, with the l2 that has the least loss on held-out examples, the first of equals. Each is
 * trained by one thread of the team. */
enum collide_status click_train_best(const struct click_search *search, struct parallel *team,
                                     struct click_model *model, struct click_fit *fit,
                                     struct collide_error *err);

#endif
