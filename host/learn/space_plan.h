/* How the ids of a space get rows, once it is known how many ids there are. */
#ifndef LEARN_SPACE_PLAN_H
#define LEARN_SPACE_PLAN_H

#include "learn/learn.h"
#include "learn/map/id_mapping.h"

/* ENTRIES_AUTO becomes what it means. */
void plans_settle_mapping(struct learn_options *options, uint32_t n_items);

/* The mapping is settled. LEARN_FULL gets rows for all ids; so does any other method with as many rows as ids
 * or more whose mapping is not computed, and becomes LEARN_FULL, which the log says. */
void plans_settle(struct learn_options *options, uint32_t n_items, uint32_t n_users);

/* COLLIDE_INVALID: a computed mapping is asked for, and method, users or a budget do not allow it; says which
 * methods do. */
enum collide_status plans_check_computed(const struct learn_options *options, struct collide_error *err);

bool plan_needs_teacher(const struct space_plan *plan);

/* What the plan's mapping will be like, see id_mapping_shape. */
enum collide_status plan_shape(const struct space_plan *plan, uint32_t n_ids, enum mapping_side side,
                               uint32_t dim, struct id_mapping *out, struct collide_error *err);

/* Whether the plans of items and users can share a table, whose rows make embeddings in one way; else
 * COLLIDE_INVALID. */
enum collide_status plans_check_alike(const struct learn_options *options, uint32_t n_items, uint32_t n_users,
                                      struct collide_error *err);

#endif
