/* Classes of ids: a weight and a bias that many ids share, so that an id takes a few bits instead of two
 * floats; model/model.h's struct id_classes. */
#ifndef LEARN_CLASSES_H
#define LEARN_CLASSES_H

#include "model/mapping.h"
#include "model/model.h"

#include <math.h>

struct class_sharing {
    uint32_t bits;       /* of a code, 1 .. MODEL_MAX_CLASS_BITS; 0: nothing is shared */
    double weight_share; /* 0 or above: what the weights' squared log-ratio counts beside the biases' error */
};

/* Of an id with that many interactions: frequent ones matter more, but not as much more as they are more
 * frequent. */
static inline float class_importance(uint32_t count)
{
    return sqrtf((float)count);
}

struct class_problem {
    const float *weights; /* (n_ids) borrowed; 0 or above: of weight 0 are ids of which nothing was learned */
    const float *bias;    /* (n_ids) borrowed */
    const float *importance; /* (n_ids) borrowed; 0 or above */
    uint32_t n_ids;
    struct class_sharing sharing;
};

/* Codes of n_ids + 1 ids, packed as models have them, and what classes stand for; all owned. */
struct class_tables {
    uint32_t bits;
    uint32_t *words;
    float *weights; /* (2^bits) */
    float *bias;    /* (2^bits) */
};

/* id: up to and with n_ids. */
static inline uint32_t class_tables_code(const struct class_tables *tables, uint32_t id)
{
    return mapping_unpack(tables->words, id, tables->bits);
}

/* Class 0 is that of the unknown id and of the ids of weight 0: weight 0, the lowest bias. The others
 * minimise
 *
 *     sum over ids of importance * ((bias - its class's)^2 + weight_share * log(weight / its class's)^2)
 *
 * as far as k-means does (Lloyd 1982): each id is in the class next to it, and each class is the weighted
 * mean of its ids. Ids without importance have no say in it; where none has any, all count alike. It starts
 * from the same split always (Su and Dy 2007, "In search of deterministic methods for initializing K-means
 * and Gaussian mixture clustering", Var-Part): the group with the largest sum, cut at its mean across its
 * longer side, until there are enough. Classes that no id needs equal class 0. COLLIDE_INVALID: bits out of
 * range, a value that is not finite, a weight or an importance below 0. */
enum collide_status classes_fit(const struct class_problem *problem, struct class_tables *out,
                                struct collide_error *err);
void class_tables_free(struct class_tables *tables);

#endif
