/* A made-up interaction log with the two properties that the method lives on: Zipf popularity and latent
 * structure. */
#ifndef DATA_SYNTH_H
#define DATA_SYNTH_H

#include "collide/status.h"

#include <stdint.h>

struct synth_options {
    uint32_t n_users;
    uint32_t n_items;
    uint64_t n_interactions; /* distinct (user, item) pairs written; at most a quarter of n_users * n_items */
    uint32_t n_clusters;     /* latent groups of items that users have tastes for */
    double zipf_exponent;    /* popularity of rank r falls as (r + 1)^-exponent */
    double taste; /* in [0, 1]: share of a user's picks that follow its tastes, the rest popularity alone */
    uint64_t seed;
};

/* Writes "user item" lines through write(context, text, n); the same options give the same bytes. */
enum collide_status synth_write(const struct synth_options *options,
                                enum collide_status (*write)(void *context, const char *text, size_t n,
                                                             struct collide_error *err),
                                void *context, struct collide_error *err);

#endif
