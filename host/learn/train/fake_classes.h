/* Items' weights and biases as sharing them by classes would leave them, for training that is aware of it. */
#ifndef LEARN_FAKE_CLASSES_H
#define LEARN_FAKE_CLASSES_H

#include "learn/store/classes.h"
#include "learn/train/corpus.h"

struct fake_classes {
    float *weights; /* (n_items) of an item's direction in a bag */
    float *bias;    /* (n_items) */
};

/* Replaces what *c has, which is all NULL at first, by what store/classes.h makes of the items' weights times
 * lengths, and of their biases. lengths, bias: (n_items). Free with fake_classes_free. */
enum collide_status fake_classes_fit(struct fake_classes *c, const struct class_sharing *sharing,
                                     const struct corpus *corpus, const float *lengths, const float *bias,
                                     struct collide_error *err);
void fake_classes_free(struct fake_classes *c);

#endif
