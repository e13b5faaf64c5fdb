#include "device/bank_hint.h"
#include "device/table_plan.h"

#include "device/host_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* Machines that none has. */
static const struct device_info GPU = {
    .name = "A GPU",
    .type = CL_DEVICE_TYPE_GPU,
    .memory_bytes = 16 * GIB,
    .max_alloc_bytes = 1 * GIB,
    .constant_bytes = 64 * KIB,
    .n_constant_args = 8,
    .align_bytes = 512,
};

static const struct device_info CPU = {
    .name = "A CPU",
    .type = CL_DEVICE_TYPE_CPU,
    .memory_bytes = 16 * GIB,
    .max_alloc_bytes = 4 * GIB,
    .constant_bytes = 64 * KIB,
    .n_constant_args = 8,
    .align_bytes = 128,
    .unified_memory = true,
};

/* Tables that are only planned: nothing is at their address, which is aligned to a page. */
static struct table_source table(const char *name, uint64_t n_bytes, size_t entry_bytes)
{
    return (struct table_source){.name = name,
                                 .bytes = (const void *)(uintptr_t)(16 * MIB),
                                 .n_bytes = n_bytes,
                                 .entry_bytes = entry_bytes};
}

static struct table_plan plan_one(const struct device_info *device, struct memory_wishes wishes,
                                  uint64_t room, struct table_source source)
{
    const struct table_planner p = {device, &wishes, room};
    struct table_plan plan;
    struct collide_error err = {0};
    if (table_planner_plan(&p, &source, 1, &plan, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return plan;
}

static void assert_refused(const struct device_info *device, struct memory_wishes wishes,
                           const struct table_source *sources, size_t n, const char *named)
{
    const struct table_planner p = {device, &wishes, 64 * GIB};
    struct table_plan plans[8], untouched[8];
    struct collide_error err = {0};
    memset(plans, 0x5a, sizeof plans);
    memcpy(untouched, plans, sizeof plans);
    assert_int_equal(table_planner_plan(&p, sources, n, plans, &err), COLLIDE_NO_MEMORY);
    assert_memory_equal(plans, untouched, sizeof plans);
    assert_non_null(strstr(err.text, named));
    assert_non_null(strstr(err.text, device->name));
    assert_non_null(strstr(err.text, "learn with fewer rows"));
}

/* What the contract says of any plan: every entry is in one bank, and no bank is beyond the limit. */
static void assert_holds_all(const struct table_plan *plan, const struct table_source *source, uint64_t limit)
{
    uint64_t n_entries = (source->n_bytes + source->entry_bytes - 1) / source->entry_bytes;
    assert_true(plan->n_banks >= 1 && plan->n_banks <= TABLE_MAX_BANKS);
    assert_int_equal(plan->n_banks & (plan->n_banks - 1), 0);
    if (n_entries)
        assert_true((n_entries - 1) >> plan->shift < plan->n_banks);
    assert_true(table_plan_bank_bytes(source, plan) <= limit);
    assert_true(plan->n_banks == 1 || source->n_bytes > limit);
}

static void one_bank_holds_what_the_device_allocates_at_once(void **state)
{
    (void)state;
    struct table_plan plan = plan_one(&GPU, (struct memory_wishes){0}, 0, table("rows", 1 * GIB, 64));
    assert_int_equal(plan.n_banks, 1);
    assert_int_equal(plan.placement, PLACED_COPIED);
}

static void a_table_of_5_gib_has_8_banks_of_1_gib(void **state)
{
    (void)state;
    struct table_source rows = table("rows", 5 * GIB, 64);
    struct table_plan plan = plan_one(&GPU, (struct memory_wishes){0}, 0, rows);
    assert_int_equal(plan.n_banks, 8);
    assert_int_equal(plan.shift, 24); /* 2^24 entries of 64 bytes */
    assert_int_equal(table_plan_bank_bytes(&rows, &plan), 1 * GIB);
    assert_int_equal(table_plan_moved_bytes(&rows, &plan), 5 * GIB);
}

static void entries_are_never_split(void **state)
{
    (void)state;
    const size_t entries[] = {1, 3, 4, 17, 20, 64, 68, 136, 260};
    const uint64_t limits[] = {260, 511, 512, 1000, 4096, 65536};
    for (size_t e = 0; e < sizeof entries / sizeof *entries; e++)
        for (size_t l = 0; l < sizeof limits / sizeof *limits; l++)
            for (uint64_t n = 1; n * entries[e] <= 8 * limits[l]; n = n * 2 + 1) {
                struct table_source source = table("rows", n * entries[e], entries[e]);
                struct memory_wishes wishes = {.max_bank_bytes = limits[l]};
                struct table_plan plan = plan_one(&CPU, wishes, 0, source);
                assert_holds_all(&plan, &source, limits[l]);
            }
}

static void a_wish_beyond_the_device_does_not_widen_its_banks(void **state)
{
    (void)state;
    struct memory_wishes wishes = {.max_bank_bytes = 64 * GIB};
    assert_int_equal(plan_one(&GPU, wishes, 0, table("rows", 2 * GIB, 64)).n_banks, 2);
}

static void what_needs_more_than_16_banks_is_refused(void **state)
{
    (void)state;
    struct table_source just = table("the row table", 16 * 4096, 64), over = just, wide = just;
    struct memory_wishes wishes = {.max_bank_bytes = 4096};
    assert_int_equal(plan_one(&CPU, wishes, 0, just).n_banks, 16);
    over.n_bytes++;
    assert_refused(&CPU, wishes, &over, 1, "the row table");
    wide.entry_bytes = 8192;
    assert_refused(&CPU, wishes, &wide, 1, "the row table");
}

static void more_than_the_devices_memory_is_refused_by_name(void **state)
{
    (void)state;
    const struct table_source sources[] = {table("the mapping", 8 * GIB, 4),
                                           table("the row table", 8 * GIB, 64), table("the biases", 4, 4)};
    assert_refused(&GPU, (struct memory_wishes){0}, sources, 3, "the biases");
    const struct table_planner p = {&GPU, &(struct memory_wishes){0}, 0};
    struct table_plan plans[2];
    assert_int_equal(table_planner_plan(&p, sources, 2, plans, NULL), COLLIDE_OK);
}

static void shared_memory_is_read_in_place_where_huge_pages_do_not_pay(void **state)
{
    (void)state;
    struct memory_wishes automatic = {.policy = TABLES_AUTO}, in_place = {.policy = TABLES_IN_PLACE};
    struct table_source big = table("rows", 64 * MIB, 64), small = table("rows", 64 * KIB, 64);
    assert_int_equal(plan_one(&CPU, automatic, GIB, big).placement, PLACED_HUGE);
    assert_int_equal(plan_one(&CPU, automatic, GIB, small).placement, PLACED_IN_PLACE);
    assert_int_equal(plan_one(&CPU, automatic, 0, big).placement, PLACED_IN_PLACE);
    assert_int_equal(plan_one(&CPU, in_place, GIB, big).placement, PLACED_IN_PLACE);
    struct table_plan plan = plan_one(&CPU, in_place, GIB, big);
    assert_int_equal(table_plan_moved_bytes(&big, &plan), 0);
}

static void small_tables_get_an_address_where_memory_can_be_shared_by_it(void **state)
{
    (void)state;
    struct memory_wishes automatic = {.policy = TABLES_AUTO}, in_place = {.policy = TABLES_IN_PLACE};
    struct table_source big = table("rows", 64 * MIB, 64), small = table("rows", 64 * KIB, 64);
    struct device_info cpu = CPU;
    cpu.fine_grain_svm = true;
    struct table_plan p = plan_one(&cpu, automatic, GIB, small);
    assert_int_equal(p.placement, PLACED_SHARED);
    assert_true(table_plan_is_shared(&cpu, &p));
    assert_false(table_plan_is_shared(&CPU, &p));
    assert_int_equal(plan_one(&cpu, automatic, GIB, big).placement, PLACED_HUGE);
    p = plan_one(&cpu, automatic, 0, big); /* there is no room for it */
    assert_int_equal(p.placement, PLACED_IN_PLACE);
    assert_false(table_plan_is_shared(&cpu, &p));
    assert_int_equal(plan_one(&cpu, in_place, GIB, small).placement, PLACED_IN_PLACE);
}

static void the_room_for_huge_pages_is_used_once(void **state)
{
    (void)state;
    const struct table_source sources[] = {table("a", 64 * MIB, 64), table("b", 64 * MIB, 64),
                                           table("c", 16 * MIB, 64)};
    const struct table_planner p = {&CPU, &(struct memory_wishes){0}, 100 * MIB};
    struct table_plan plans[3];
    assert_int_equal(table_planner_plan(&p, sources, 3, plans, NULL), COLLIDE_OK);
    assert_int_equal(plans[0].placement, PLACED_HUGE);
    assert_int_equal(plans[1].placement, PLACED_IN_PLACE);
    assert_int_equal(plans[2].placement, PLACED_HUGE);
}

static void what_the_device_cannot_read_where_it_is_is_copied(void **state)
{
    (void)state;
    struct table_source odd = table("rows", 64 * KIB, 64), banked = table("rows", 1920, 12);
    odd.bytes = (const char *)odd.bytes + 64;
    assert_int_equal(
        plan_one(&CPU, (struct memory_wishes){.policy = TABLES_IN_PLACE, .max_bank_bytes = 0}, 0, odd)
            .placement,
        PLACED_SHARED);
    /* Banks of 16 entries of 12 bytes start at multiples of 192, no multiple of 128. */
    struct memory_wishes narrow = {.policy = TABLES_IN_PLACE, .max_bank_bytes = 300};
    assert_int_equal(plan_one(&CPU, narrow, 0, banked).placement, PLACED_SHARED);
    assert_int_equal(
        plan_one(&CPU, (struct memory_wishes){.policy = TABLES_COPIED, .max_bank_bytes = 0}, 0, banked)
            .placement,
        PLACED_SHARED);
    assert_int_equal(
        plan_one(&GPU, (struct memory_wishes){.policy = TABLES_IN_PLACE, .max_bank_bytes = 0}, 0, banked)
            .placement,
        PLACED_COPIED);
}

static void only_copies_that_fill_huge_pages_are_said_to_be_in_them(void **state)
{
    (void)state;
    struct memory_wishes copied = {.policy = TABLES_COPIED};
    struct table_source big = table("rows", HOST_HUGE_PAGE_BYTES, 64),
                        small = table("rows", 2 * MIB - 64, 64);
    assert_int_equal(plan_one(&CPU, copied, GIB, big).placement, PLACED_HUGE);
    assert_int_equal(plan_one(&CPU, copied, GIB, small).placement, PLACED_SHARED);
    assert_int_equal(plan_one(&CPU, copied, 0, big).placement, PLACED_SHARED); /* the system gives none */
    assert_string_equal(placement_name(PLACED_SHARED), "shared copy");
    assert_string_equal(placement_name(PLACED_HUGE), "huge pages");
}

static void the_smallest_tables_share_constant_memory(void **state)
{
    (void)state;
    const struct table_source sources[] = {table("rows", 32 * MIB, 64), table("scales", 40 * KIB, 8),
                                           table("sizes", 64, 64),      table("weights", 0, 4),
                                           table("bias", 24 * KIB, 4),  table("map", 20 * KIB, 4)};
    const enum table_space expected[] = {TABLE_GLOBAL, TABLE_GLOBAL,   TABLE_CONSTANT,
                                         TABLE_GLOBAL, TABLE_CONSTANT, TABLE_CONSTANT};
    const struct table_planner p = {&GPU, &(struct memory_wishes){0}, 0};
    struct table_plan plans[6];
    assert_int_equal(table_planner_plan(&p, sources, 6, plans, NULL), COLLIDE_OK);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(plans[i].space, expected[i]);
}

static void constant_memory_takes_no_more_tables_than_arguments(void **state)
{
    (void)state;
    struct device_info gpu = GPU;
    gpu.n_constant_args = 2;
    const struct table_source sources[] = {table("a", 300, 4), table("b", 200, 4), table("c", 100, 4)};
    const struct table_planner p = {&gpu, &(struct memory_wishes){0}, 0};
    struct table_plan plans[3];
    assert_int_equal(table_planner_plan(&p, sources, 3, plans, NULL), COLLIDE_OK);
    assert_int_equal(plans[0].space, TABLE_GLOBAL);
    assert_int_equal(plans[1].space, TABLE_CONSTANT);
    assert_int_equal(plans[2].space, TABLE_CONSTANT);
}

/* The kernels' sizes: they take neither an argument nor bytes from the others. */
static void what_kernels_read_as_global_stays_out_of_constant_memory(void **state)
{
    (void)state;
    struct device_info gpu = GPU;
    gpu.n_constant_args = 1;
    gpu.constant_bytes = 100;
    struct table_source sources[] = {table("sizes", 4, 4), table("a", 100, 4)};
    const struct table_planner p = {&gpu, &(struct memory_wishes){0}, 0};
    struct table_plan plans[2];
    sources[0].stays_global = true;
    assert_int_equal(table_planner_plan(&p, sources, 2, plans, NULL), COLLIDE_OK);
    assert_int_equal(plans[0].space, TABLE_GLOBAL);
    assert_int_equal(plans[1].space, TABLE_CONSTANT);
}

static void a_processor_and_tables_of_several_banks_have_no_constant_memory(void **state)
{
    (void)state;
    struct memory_wishes narrow = {.max_bank_bytes = 128};
    assert_int_equal(plan_one(&CPU, (struct memory_wishes){0}, 0, table("a", 64, 4)).space, TABLE_GLOBAL);
    assert_int_equal(plan_one(&GPU, narrow, 0, table("a", 1024, 4)).space, TABLE_GLOBAL);
    assert_int_equal(plan_one(&GPU, narrow, 0, table("a", 128, 4)).space, TABLE_CONSTANT);
}

static void a_table_of_no_bytes_moves_nothing(void **state)
{
    (void)state;
    struct table_source none = {.name = "weights", .entry_bytes = 4};
    struct table_plan plan = plan_one(&GPU, (struct memory_wishes){0}, 0, none);
    assert_int_equal(plan.n_banks, 1);
    assert_int_equal(table_plan_moved_bytes(&none, &plan), 0);
}

static void policies_are_parsed_by_their_names(void **state)
{
    (void)state;
    for (enum table_policy p = TABLES_AUTO; p <= TABLES_COPIED; p++) {
        enum table_policy parsed;
        assert_int_equal(table_policy_parse(table_policy_name(p), &parsed, NULL), COLLIDE_OK);
        assert_int_equal(parsed, p);
    }
    struct collide_error err = {0};
    enum table_policy parsed = TABLES_AUTO;
    assert_int_equal(table_policy_parse("huge", &parsed, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "in-place"));
}

static void pages_of_the_host_are_aligned_zeroed_and_hold_what_fills_them(void **state)
{
    (void)state;
    const uint64_t sizes[] = {1, 4096, HOST_HUGE_PAGE_BYTES - 1, HOST_HUGE_PAGE_BYTES, 70 * MIB + 13};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *pages = host_pages_allocate(sizes[i]), *from = host_pages_allocate(sizes[i]);
        assert_true(pages && from);
        uint64_t unit = sizes[i] < HOST_HUGE_PAGE_BYTES ? 4096 : HOST_HUGE_PAGE_BYTES;
        assert_int_equal((uintptr_t)pages % unit, 0);
        assert_int_equal(pages[0] | pages[sizes[i] - 1], 0);
        for (uint64_t b = 0; b < sizes[i]; b++)
            from[b] = (char)(b * 31 + b / 251);
        struct progress progress;
        progress_begin(&progress, "filling", sizes[i] + 5);
        assert_int_equal(host_pages_fill(pages, from, sizes[i], &progress, NULL), COLLIDE_OK);
        assert_int_equal(progress.done, sizes[i]);
        assert_memory_equal(pages, from, sizes[i]);
        host_pages_free(pages, sizes[i]);
        host_pages_free(from, sizes[i]);
    }
    host_pages_free(NULL, 1);
}

static void room_for_huge_pages_is_at_most_half_the_machine(void **state)
{
    (void)state;
    uint64_t machine_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    assert_true(host_pages_room_bytes() <= machine_bytes / 2);
}

/* Bank b of a table is in channel (channel + b) % n_channels, and no two neighbours share one while there are
 * enough. */
static void tables_are_spread_over_the_channels_of_a_board(void **state)
{
    (void)state;
    const struct table_source sources[] = {table("a", 4 * MIB, 4), table("b", 0, 4), table("c", 3 * GIB, 64),
                                           table("d", 4 * MIB, 4)};
    const struct memory_wishes wishes = {.n_channels = 6};
    const struct table_planner p = {&GPU, &wishes, 64 * GIB};
    struct table_plan plans[4];
    struct collide_error err = {0};
    assert_int_equal(table_planner_plan(&p, sources, 4, plans, &err), COLLIDE_OK);
    assert_int_equal(plans[2].n_banks, 4);
    assert_int_equal(plans[0].channel, 0);
    assert_int_equal(plans[2].channel, 1); /* the empty table takes none */
    assert_int_equal(plans[3].channel, 5);
    for (int i = 0; i < 4; i++)
        assert_int_equal(plans[i].n_channels, 6);
}

static void only_drivers_that_understand_it_are_told_a_channel(void **state)
{
    (void)state;
    char bytes[8];
    struct bank_hint hint;
    struct device_info board = {.platform = "Xilinx"};
    assert_ptr_equal(bank_hint_fill(bank_hint_kind_of(&GPU), 3, bytes, &hint), bytes);
    assert_int_equal(hint.flags, 0);
    assert_ptr_equal(bank_hint_fill(bank_hint_kind_of(&board), 3, bytes, &hint), &hint.extension);
    assert_int_equal(hint.flags, 1u << 31);
    assert_int_equal(hint.extension.flags, 1u << 31 | 3);
    assert_ptr_equal(hint.extension.host, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bank_holds_what_the_device_allocates_at_once),
        cmocka_unit_test(a_table_of_5_gib_has_8_banks_of_1_gib),
        cmocka_unit_test(entries_are_never_split),
        cmocka_unit_test(a_wish_beyond_the_device_does_not_widen_its_banks),
        cmocka_unit_test(what_needs_more_than_16_banks_is_refused),
        cmocka_unit_test(more_than_the_devices_memory_is_refused_by_name),
        cmocka_unit_test(shared_memory_is_read_in_place_where_huge_pages_do_not_pay),
        cmocka_unit_test(small_tables_get_an_address_where_memory_can_be_shared_by_it),
        cmocka_unit_test(the_room_for_huge_pages_is_used_once),
        cmocka_unit_test(what_the_device_cannot_read_where_it_is_is_copied),
        cmocka_unit_test(only_copies_that_fill_huge_pages_are_said_to_be_in_them),
        cmocka_unit_test(the_smallest_tables_share_constant_memory),
        cmocka_unit_test(constant_memory_takes_no_more_tables_than_arguments),
        cmocka_unit_test(what_kernels_read_as_global_stays_out_of_constant_memory),
        cmocka_unit_test(a_processor_and_tables_of_several_banks_have_no_constant_memory),
        cmocka_unit_test(a_table_of_no_bytes_moves_nothing),
        cmocka_unit_test(policies_are_parsed_by_their_names),
        cmocka_unit_test(pages_of_the_host_are_aligned_zeroed_and_hold_what_fills_them),
        cmocka_unit_test(room_for_huge_pages_is_at_most_half_the_machine),
        cmocka_unit_test(tables_are_spread_over_the_channels_of_a_board),
        cmocka_unit_test(only_drivers_that_understand_it_are_told_a_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
