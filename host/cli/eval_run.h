/* The measuring core of everything that evaluates: at which ranks the device's top-k has held-out items. */
#ifndef CLI_EVAL_RUN_H
#define CLI_EVAL_RUN_H

#include "base/ranking.h"
#include "cli/eval_lists.h"
#include "collide/scorer.h"
#include "score/model_handle.h"

/* All borrowed. A query is a user's history from the lists, or what the model knows of the user, or both
 * where the model embeds users. */
struct eval_request {
    const struct collide_model *model;
    const struct eval_lists *lists;
    const struct collide_scorer_options *scorer;
    const char *model_name; /* for messages, as is the next */
    const char *test_name;
    size_t depth; /* ranks to look at: the largest cutoff to come */
    unsigned n_threads;
};

/* The same on any number of threads. */
struct eval_result {
    uint32_t n_users;
    uint32_t *users; /* (n_users) of the lists' those with anything relevant; owned */
    uint32_t *ranks; /* as the relevant lists' values: where each was found, from 1; 0: nowhere; owned */
    char device[128], engine[16];
};

/* Every item is a candidate but masked ones and those of histories; ties go to the smaller dense id.
 * COLLIDE_INVALID: the model cannot be asked for these users, or nothing can be found. Where part of the
 * lists cannot be found whatever the model does, the log says so. Returns owned. */
enum collide_status eval_run(const struct eval_request *request, struct eval_result *out,
                             struct collide_error *err);
void eval_result_free(struct eval_result *r);

/* The mean over the users; cutoff: at most the depth. */
struct ranking_quality eval_quality(const struct eval_result *r, const struct eval_lists *lists,
                                    size_t cutoff);

#endif
