/* How well logits foretell clicks. */
#ifndef LEARN_CLICK_METRICS_H
#define LEARN_CLICK_METRICS_H

#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>

struct click_quality {
    size_t n;
    double base_rate;          /* share of clicks */
    double log_loss;           /* mean of -ln of the probability given to what happened */
    double normalised_entropy; /* log_loss over that of always saying base_rate; NAN if that is 0 */
    double auc; /* of all pairs of a click and another, the share where the click has the larger logit, ties
                   counted half; NAN without a pair */
};

/* logits: (n) finite, a probability is 1 / (1 + exp(-logit)); is_click: (n) 0 or 1; n > 0. */
enum collide_status click_quality_measure(const float *logits, const uint8_t *is_click, size_t n,
                                          struct click_quality *out, struct collide_error *err);

/* -ln of the probability given to what happened. */
double click_log_loss(double logit, uint8_t is_click);

#endif
