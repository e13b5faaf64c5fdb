#include "device/table_plan.h"

#include "base/error.h"
#include "device/host_pages.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Below, tables live in caches and page faults are few. */
enum { HUGE_TABLE_BYTES = 8 << 20 };

const char *const table_policy_names[] = {
    [TABLES_AUTO] = "auto", [TABLES_IN_PLACE] = "in-place", [TABLES_COPIED] = "copied", NULL};

const char *table_policy_name(enum table_policy policy)
{
    return table_policy_names[policy];
}

enum collide_status table_policy_parse(const char *name, enum table_policy *out, struct collide_error *err)
{
    enum table_policy policy = TABLES_AUTO;
    while (name && strcmp(name, table_policy_names[policy]) != 0)
        if (++policy > TABLES_COPIED)
            return error_set(err, COLLIDE_INVALID,
                             "tables cannot be placed \"%.32s\"; say auto, in-place or copied", name);
    *out = policy;
    return COLLIDE_OK;
}

const char *placement_name(enum placement p)
{
    static const char *const names[] = {[PLACED_IN_PLACE] = "in place",
                                        [PLACED_HUGE] = "huge pages",
                                        [PLACED_SHARED] = "shared copy",
                                        [PLACED_COPIED] = "copied"};
    return names[p];
}

uint64_t table_plan_bank_bytes(const struct table_source *source, const struct table_plan *plan)
{
    return plan->n_banks == 1 ? source->n_bytes : (uint64_t)source->entry_bytes << plan->shift;
}

uint64_t table_plan_moved_bytes(const struct table_source *source, const struct table_plan *plan)
{
    return plan->placement == PLACED_IN_PLACE ? 0 : source->n_bytes;
}

bool table_plan_is_shared(const struct device_info *device, const struct table_plan *plan)
{
    bool is_copy = plan->placement == PLACED_HUGE || plan->placement == PLACED_SHARED;
    return is_copy && device->fine_grain_svm;
}

static uint64_t largest_bank_bytes(const struct table_planner *p)
{
    uint64_t device = p->device->max_alloc_bytes, wished = p->wishes->max_bank_bytes;
    return wished && wished < device ? wished : device;
}

/* The least s with 2^s >= n. */
static unsigned log2_ceil(uint64_t n)
{
    unsigned s = 0;
    while (s < 63 && (uint64_t)1 << s < n)
        s++;
    return s;
}

static enum collide_status plan_banks(const struct table_planner *p, const struct table_source *source,
                                      struct table_plan *out, struct collide_error *err)
{
    uint64_t limit = largest_bank_bytes(p);
    assert(source->entry_bytes > 0 || source->n_bytes == 0);
    uint64_t n_entries = source->n_bytes ? (source->n_bytes - 1) / source->entry_bytes + 1 : 0;
    out->n_banks = 1;
    out->shift = log2_ceil(n_entries);
    if (source->n_bytes <= limit)
        return COLLIDE_OK;
    uint64_t fitting = limit / source->entry_bytes;
    if (fitting > 0) {
        out->shift = log2_ceil(fitting + 1) - 1;
        uint64_t banks = ((n_entries - 1) >> out->shift) + 1;
        if (banks <= TABLE_MAX_BANKS) {
            out->n_banks = 1u << log2_ceil(banks);
            return COLLIDE_OK;
        }
    }
    return error_set(
        err, COLLIDE_NO_MEMORY,
        "%s takes %" PRIu64 " bytes, more than %d banks of at most %" PRIu64
        " bytes hold on %.64s; learn with fewer rows, a smaller precision or without histories, or "
        "take a device that allocates more at once",
        source->name, source->n_bytes, TABLE_MAX_BANKS, limit, p->device->name);
}

/* Whether the device can read every bank where it is. */
static bool is_aligned(const struct device_info *device, const struct table_source *source,
                       const struct table_plan *plan)
{
    uint64_t unit = device->align_bytes;
    bool banks_are = plan->n_banks == 1 || (unit && table_plan_bank_bytes(source, plan) % unit == 0);
    return unit && (uintptr_t)source->bytes % unit == 0 && banks_are;
}

static enum placement choose_copy(const struct table_planner *p, const struct table_source *source)
{
    bool has_pages = p->huge_room_bytes > 0 && source->n_bytes >= HOST_HUGE_PAGE_BYTES;
    return has_pages ? PLACED_HUGE : PLACED_SHARED;
}

/* huge_left_bytes: room for tables in huge pages that need not be copied. */
static enum placement choose_placement(const struct table_planner *p, const struct table_source *source,
                                       const struct table_plan *plan, uint64_t huge_left_bytes)
{
    if (source->n_bytes == 0)
        return PLACED_IN_PLACE;
    if (!p->device->unified_memory)
        return PLACED_COPIED;
    if (p->wishes->policy == TABLES_COPIED || !is_aligned(p->device, source, plan))
        return choose_copy(p, source);
    /* A small one costs next to nothing to copy, and has an address then. */
    bool is_big = source->n_bytes >= HUGE_TABLE_BYTES;
    bool gains = is_big ? source->n_bytes <= huge_left_bytes : p->device->fine_grain_svm;
    return p->wishes->policy == TABLES_AUTO && gains ? choose_copy(p, source) : PLACED_IN_PLACE;
}

/* A processor's constant memory is its memory. */
static bool has_constant_memory(const struct device_info *device)
{
    return (device->type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR)) != 0;
}

/* The smallest table of one bank that may be in constant memory, is not yet, and has any bytes; or n. */
static size_t next_smallest(const struct table_source *sources, const struct table_plan *plans, size_t n)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (plans[i].space == TABLE_GLOBAL && plans[i].n_banks == 1 && sources[i].n_bytes &&
            !sources[i].stays_global && (best == n || sources[i].n_bytes < sources[best].n_bytes))
            best = i;
    return best;
}

static void plan_constant(const struct device_info *device, const struct table_source *sources, size_t n,
                          struct table_plan *plans)
{
    uint64_t left = device->constant_bytes;
    for (uint32_t args = 0; args < device->n_constant_args; args++) {
        size_t i = next_smallest(sources, plans, n);
        if (i == n || sources[i].n_bytes > left)
            return;
        plans[i].space = TABLE_CONSTANT;
        left -= sources[i].n_bytes;
    }
}

enum collide_status table_planner_plan(const struct table_planner *p, const struct table_source *sources,
                                       size_t n, struct table_plan *out, struct collide_error *err)
{
    struct table_plan *plans = calloc(n ? n : 1, sizeof *plans);
    enum collide_status status = plans ? COLLIDE_OK : error_no_memory(err, "a plan of tables");
    uint64_t moved_bytes = 0, huge_left_bytes = p->huge_room_bytes;
    /* A lookup reads its tables one after the other, so neighbours get different channels. */
    unsigned channel = 0, n_channels = p->wishes->n_channels ? p->wishes->n_channels : 1;
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
        status = plan_banks(p, &sources[i], &plans[i], err);
        if (status != COLLIDE_OK)
            break;
        plans[i].placement = choose_placement(p, &sources[i], &plans[i], huge_left_bytes);
        uint64_t moved = table_plan_moved_bytes(&sources[i], &plans[i]);
        huge_left_bytes -= moved < huge_left_bytes ? moved : huge_left_bytes;
        moved_bytes += moved;
        plans[i].channel = channel;
        plans[i].n_channels = n_channels;
        channel = (channel + (sources[i].n_bytes ? plans[i].n_banks : 0)) % n_channels;
        if (moved_bytes > p->device->memory_bytes)
            status =
                error_set(err, COLLIDE_NO_MEMORY,
                          "with %s the tables take %" PRIu64 " bytes or more, %.64s has %" PRIu64
                          "; learn with fewer rows, a smaller precision or without histories, or share the "
                          "model between several devices",
                          sources[i].name, moved_bytes, p->device->name, p->device->memory_bytes);
    }
    if (status == COLLIDE_OK) {
        if (has_constant_memory(p->device))
            plan_constant(p->device, sources, n, plans);
        memcpy(out, plans, n * sizeof *plans);
    }
    free(plans);
    return status;
}

enum collide_status tables_plan(const struct device_info *device, const struct memory_wishes *wishes,
                                const struct table_source *sources, size_t n, struct table_plan *out,
                                struct collide_error *err)
{
    const struct table_planner p = {device, wishes, host_pages_room_bytes()};
    return table_planner_plan(&p, sources, n, out, err);
}
