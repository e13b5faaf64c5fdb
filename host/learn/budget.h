/* Choosing method, rows, lookups and precision for the best held-out quality under a budget of bytes. */
#ifndef LEARN_BUDGET_H
#define LEARN_BUDGET_H

#include "learn/attempt.h"

/* Bytes of all that serving needs, of a model learned with these options; see model/cost.h. */
enum collide_status budget_bytes(const struct groundwork *ground, const struct learn_options *options,
                                 uint64_t *out, struct collide_error *err);

/* Sets the rows of the plans of items and users to the most with which a model learned with *options takes
 * max_bytes; users get half of them, unless there are fewer users, or items, than that. COLLIDE_INVALID: even
 * the fewest rows take more, or the method allows none; says which. */
enum collide_status budget_fit_rows(const struct groundwork *ground, uint64_t max_bytes,
                                    struct learn_options *options, struct collide_error *err);

/* Sets the plans of items and users, the form of rows and the bits of scalars in *options to the best of some
 * dozens of candidates of at most options->budget_bytes each, and packs the mapping. Candidates are compared
 * after two epochs, one choice at a time; the best few again after a quarter of them all. Quality is
 * recall@10 on options->val. The table of all candidates goes to the log. The groundwork must have a teacher.
 * COLLIDE_INVALID: nothing fits; says what the smallest candidate takes. */
enum collide_status budget_choose(const struct groundwork *ground, struct learn_options *options,
                                  struct collide_error *err);

#endif
