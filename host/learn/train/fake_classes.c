#include "learn/train/fake_classes.h"

#include "base/error.h"

#include <stdlib.h>

/* importance: (n_items), for the time of the call. */
static enum collide_status fit(struct fake_classes *c, const struct class_sharing *sharing,
                               const struct corpus *corpus, const float *lengths, const float *bias,
                               float *importance, struct collide_error *err)
{
    struct class_tables tables;
    for (uint32_t i = 0; i < corpus->n_items; i++) {
        c->weights[i] = corpus->weights[i] * lengths[i];
        importance[i] = class_importance(corpus->counts[i]);
    }
    const struct class_problem problem = {.weights = c->weights,
                                          .bias = bias,
                                          .importance = importance,
                                          .n_ids = corpus->n_items,
                                          .sharing = *sharing};
    enum collide_status status = classes_fit(&problem, &tables, err);
    if (status != COLLIDE_OK)
        return status;
    for (uint32_t i = 0; i < corpus->n_items; i++) {
        const uint32_t code = class_tables_code(&tables, i);
        c->weights[i] = tables.weights[code];
        c->bias[i] = tables.bias[code];
    }
    class_tables_free(&tables);
    return COLLIDE_OK;
}

enum collide_status fake_classes_fit(struct fake_classes *c, const struct class_sharing *sharing,
                                     const struct corpus *corpus, const float *lengths, const float *bias,
                                     struct collide_error *err)
{
    const size_t n = corpus->n_items + 1ull;
    float *importance = malloc(n * sizeof *importance);
    if (!c->weights)
        c->weights = malloc(n * sizeof *c->weights);
    if (!c->bias)
        c->bias = malloc(n * sizeof *c->bias);
    enum collide_status status = importance && c->weights && c->bias
                                     ? fit(c, sharing, corpus, lengths, bias, importance, err)
                                     : error_no_memory(err, "the items' classes");
    free(importance);
    return status;
}

void fake_classes_free(struct fake_classes *c)
{
    free(c->weights);
    free(c->bias);
    *c = (struct fake_classes){0};
}
