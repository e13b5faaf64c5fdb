/* The truth: scores in double, straight from the definition, sharing nothing with the kernels but the model's
 * arrays; and how far a kernel in single precision may be from them. */
#ifndef SCORE_REFERENCE_H
#define SCORE_REFERENCE_H

#include "collide/scorer.h"
#include "score/model_handle.h"

struct reference_score {
    double value;
    double tolerance; /* derived in reference.c */
};

/* out: (query->n_items). COLLIDE_INVALID: the model does not have a feature that the query names. */
enum collide_status reference_score(const struct collide_model *model, const struct collide_query *query,
                                    struct reference_score *out, struct collide_error *err);

/* The pooled bag; values, tolerances: (dim). */
enum collide_status reference_bag(const struct collide_model *model, const struct collide_query *query,
                                  double *values, double *tolerances, struct collide_error *err);

#endif
