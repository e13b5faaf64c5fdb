#include "learn/space_plan.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"

#include <inttypes.h>

static bool has_users(const struct learn_options *o)
{
    return o->training.backbone != BACKBONE_BAG;
}

static bool can_be_computed(enum learn_method method)
{
    return mapping_is_computed(mapping_method(method)->kind);
}

void plans_settle_mapping(struct learn_options *o, uint32_t n_items)
{
    if (o->mapping != ENTRIES_AUTO)
        return;
    const bool is_computed = can_be_computed(o->items.method) && !has_users(o) && o->items.n_rows < n_items;
    o->mapping = is_computed ? ENTRIES_COMPUTED : ENTRIES_PACKED;
}

/* space: "items" or "users". */
static void settle(struct space_plan *plan, uint32_t n_ids, const char *space)
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

void plans_settle(struct learn_options *o, uint32_t n_items, uint32_t n_users)
{
    plans_settle_mapping(o, n_items);
    if (o->mapping != ENTRIES_COMPUTED)
        settle(&o->items, n_items, "items");
    if (has_users(o))
        settle(&o->users, n_users, "users");
}

static enum collide_status refuse_method(enum learn_method method, struct collide_error *err)
{
    struct buffer names = {0};
    for (int m = 0; m < LEARN_N_METHODS; m++)
        if (can_be_computed((enum learn_method)m))
            buffer_printf(&names, "%s%s", names.n_bytes ? ", " : "", learn_method_names[m]);
    buffer_append(&names, "", 1);
    enum collide_status status =
        names.failed ? error_no_memory(err, "the methods' names")
                     : error_set(err, COLLIDE_INVALID,
                                 "the rows of %s cannot be computed from ids: store or pack its mapping, or "
                                 "choose one of %s",
                                 learn_method_name(method), names.bytes);
    buffer_free(&names);
    return status;
}

enum collide_status plans_check_computed(const struct learn_options *o, struct collide_error *err)
{
    if (o->mapping != ENTRIES_COMPUTED)
        return COLLIDE_OK;
    if (o->budget_bytes)
        return error_set(
            err, COLLIDE_INVALID,
            "a budget chooses among methods whose mapping cannot be computed: leave the mapping to "
            "it, or give a method and its rows");
    if (has_users(o))
        return error_set(
            err, COLLIDE_INVALID,
            "a computed mapping is of items alone, and users are to have rows of their own: store "
            "or pack it, or leave users' rows out");
    return can_be_computed(o->items.method) ? COLLIDE_OK : refuse_method(o->items.method, err);
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
