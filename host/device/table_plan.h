/* The planner's inside: its decisions as functions of what they depend on. */
#ifndef DEVICE_TABLE_PLAN_H
#define DEVICE_TABLE_PLAN_H

#include "device/memory.h"

struct table_planner {
    const struct device_info *device;
    const struct memory_wishes *wishes;
    uint64_t huge_room_bytes; /* see host_pages_room_bytes */
};

/* tables_plan, for a machine with this room. */
enum collide_status table_planner_plan(const struct table_planner *p, const struct table_source *sources,
                                       size_t n, struct table_plan *out, struct collide_error *err);

/* Bytes of each bank but the last that has any. */
uint64_t table_plan_bank_bytes(const struct table_source *source, const struct table_plan *plan);

#endif
