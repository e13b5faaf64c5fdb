/* A made-up interaction log with the two properties that the method lives on: Zipf popularity and latent
 * structure. */
#ifndef DATA_SYNTH_H
#define DATA_SYNTH_H

#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>

struct synth_options {
    uint32_t n_users;
    uint32_t n_items;
    uint64_t n_interactions; /* distinct (user, item) pairs written; at most a quarter of n_users * n_items */
    uint32_t n_clusters;     /* latent groups of items that users have tastes for; at most n_items */
    double zipf_exponent;    /* in [0, 4]: popularity of rank r falls as (r + 1)^-exponent */
    double taste; /* in [0, 1]: share of a user's picks that follow its tastes, the rest popularity alone */
    uint64_t seed;
};

/* Writes "user item" lines through write(context, text, n); the same options give the same bytes.
 *
 * Users are 0..n_users-1 and their lines stand together, in that order, so that memory is O(n_users +
 * n_items) whatever the number of lines; shuffle the file where order matters. Items are numbers below
 * n_items that say nothing about popularity or cluster. A user's activity is log-normal (at least 2
 * interactions each where there are enough, at most half of the items); its tastes are one to four clusters,
 * drawn by their popularity, with weights uniform on the simplex. Where a user's clusters are used up,
 * popularity alone picks, and then chance. */
enum collide_status synth_write(const struct synth_options *options,
                                enum collide_status (*write)(void *context, const char *text, size_t n,
                                                             struct collide_error *err),
                                void *context, struct collide_error *err);

#endif
