#include "learn/space_plan.h"

#include "base/error.h"
#include "base/log.h"

#include <inttypes.h>

void plan_settle(struct space_plan *plan, uint32_t n_ids, const char *space)
{
    if (plan->method != LEARN_FULL && plan->n_rows >= n_ids) {
        log_info("%" PRIu32 " rows are enough for all %" PRIu32
                 " %s: each gets its own, %s has nothing to fold",
                 plan->n_rows, n_ids, space, learn_method_name(plan->method));
        plan->method = LEARN_FULL;
        plan->settings = (struct method_settings){0};
    }
    if (plan->method == LEARN_FULL)
        plan->n_rows = n_ids;
}

bool plan_needs_teacher(const struct space_plan *plan)
{
    return mapping_method(plan->method)->teacher == TEACHER_NEEDED;
}

enum collide_status plan_shape(const struct space_plan *plan, uint32_t n_ids, enum mapping_side side,
                               uint32_t dim, struct id_mapping *out, struct collide_error *err)
{
    const struct mapping_problem problem = {
        .n_ids = n_ids, .side = side, .n_rows = plan->n_rows, .dim = dim, .settings = plan->settings};
    return id_mapping_shape(plan->method, &problem, out, err);
}

enum collide_status plans_check_alike(const struct learn_options *o, uint32_t n_items, uint32_t n_users,
                                      struct collide_error *err)
{
    struct id_mapping items, users;
    enum collide_status status = plan_shape(&o->items, n_items, MAPPING_ITEMS, o->dim, &items, err);
    if (status == COLLIDE_OK)
        status = plan_shape(&o->users, n_users, MAPPING_USERS, o->dim, &users, err);
    if (status != COLLIDE_OK || (items.n_parts == users.n_parts && items.combine == users.combine))
        return status;
    return error_set(err, COLLIDE_INVALID,
                     "%s for items and %s for users make embeddings of rows in different ways (%" PRIu32
                     " and %" PRIu32 " parts): give both methods that cut and combine alike",
                     learn_method_name(o->items.method), learn_method_name(o->users.method), items.n_parts,
                     users.n_parts);
}
