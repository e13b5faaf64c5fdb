/* Quality by how often items occur, and by how much is known of users. */
#ifndef CLI_EVAL_BY_H
#define CLI_EVAL_BY_H

#include "base/args.h"
#include "cli/eval_run.h"

enum {
    EVAL_MAX_CUTOFFS = 16,
    /* Items by falling count (of equals the lower dense id first), cut where a quarter, half and three
     * quarters of all interactions are passed: an item belongs to the quarter that its first interaction
     * falls into. The last class are items without any, and those that the model does not know. */
    EVAL_ITEM_CLASSES = 5,
    /* Users with histories of 0 to 5, 6 to 10, 11 to 20, 21 to 50, and more items. */
    EVAL_USER_CLASSES = 5,
    EVAL_MAX_CLASSES = 5
};

struct eval_class {
    uint64_t low, high;      /* interactions of its items, or lengths of its users' histories: the ends */
    uint64_t n_members;      /* of items: of the model; of users: those measured */
    uint64_t n_interactions; /* of items: of all members together */
    uint64_t n_relevant;     /* held-out interactions */
    /* (n_cutoffs); NaN where n_relevant is 0. Of items: recall = hits / held-out interactions of the class;
     * ndcg as if nothing else were relevant, the mean over users to whom something is. Of users: means over
     * them. */
    struct ranking_quality qualities[EVAL_MAX_CUTOFFS];
};

struct eval_breakdown {
    struct eval_class classes[EVAL_MAX_CLASSES];
    size_t n;
};

/* Interactions are those of the lists' histories; where there are none, of the model's; where there are none
 * either, of the masked ones. cutoffs: (n_cutoffs), up to EVAL_MAX_CUTOFFS. COLLIDE_INVALID: there are no
 * interactions at all. */
enum collide_status eval_by_items(const struct eval_request *request, const struct eval_result *result,
                                  const struct arg_u64_list *cutoffs, struct eval_breakdown *out,
                                  struct collide_error *err);
enum collide_status eval_by_users(const struct eval_request *request, const struct eval_result *result,
                                  const struct arg_u64_list *cutoffs, struct eval_breakdown *out,
                                  struct collide_error *err);

#endif
