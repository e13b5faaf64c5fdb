#include "support/devices.h"

#include "device/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ALIGNMENT = 4096 };

/* Reads words of a table through its banks, as the scoring kernels do: the bank is the high bits of an
 * entry's number. A table of fewer banks fills the places of the others with the ones it has. */
static const char SOURCE[] =
    "#define BANK(b) __global const uint *bank##b\n"
    "__kernel void read_words(BANK(0), BANK(1), BANK(2), BANK(3), BANK(4), BANK(5), BANK(6), BANK(7), "
    "BANK(8),\n"
    "                         BANK(9), BANK(10), BANK(11), BANK(12), BANK(13), BANK(14), BANK(15),\n"
    "                         __global uint *out, uint shift, uint entry_words)\n"
    "{\n"
    "    __global const uint *banks[16] = {bank0, bank1, bank2,  bank3,  bank4,  bank5,  bank6,  bank7,\n"
    "                                      bank8, bank9, bank10, bank11, bank12, bank13, bank14, bank15};\n"
    "    ulong i = get_global_id(0), entry = i / entry_words;\n"
    "    ulong within = entry & (((ulong)1 << shift) - 1);\n"
    "    out[i] = banks[entry >> shift][within * entry_words + i % entry_words];\n"
    "}\n";

/* A device, and the kernel above on it. */
struct reader {
    struct device *device;
    cl_command_queue queue;
    cl_program program;
    cl_kernel kernel;
};

static struct reader reader_create(struct device *device)
{
    struct reader r = {.device = device};
    cl_context context = device_context(device);
    cl_device_id id = device_info(device)->id;
    const char *text = SOURCE;
    cl_int code;
    r.queue = clCreateCommandQueueWithProperties(context, id, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    r.program = clCreateProgramWithSource(context, 1, &text, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_int_equal(clBuildProgram(r.program, 1, &id, "-cl-std=CL1.2", NULL, NULL), CL_SUCCESS);
    r.kernel = clCreateKernel(r.program, "read_words", &code);
    assert_int_equal(code, CL_SUCCESS);
    return r;
}

static void reader_destroy(struct reader *r)
{
    clReleaseKernel(r->kernel);
    clReleaseProgram(r->program);
    clReleaseCommandQueue(r->queue);
}

/* Every word of the table, read by the device, must be the expected one. */
static void assert_holds(struct reader *r, const struct device_table *t, const struct table_plan *plan,
                         const struct table_source *expected)
{
    size_t n_words = expected->n_bytes / sizeof(cl_uint), one = 1;
    cl_uint shift = plan->shift, entry_words = (cl_uint)(expected->entry_bytes / sizeof(cl_uint));
    cl_uint *words = malloc(expected->n_bytes);
    cl_int code;
    cl_mem out = clCreateBuffer(device_context(r->device), CL_MEM_WRITE_ONLY, expected->n_bytes, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_non_null(words);
    for (cl_uint b = 0; b < TABLE_MAX_BANKS; b++)
        assert_int_equal(table_set_arg(t, b % table_n_banks(t), r->kernel, b, NULL), COLLIDE_OK);
    assert_int_equal(clSetKernelArg(r->kernel, 16, sizeof out, &out), CL_SUCCESS);
    assert_int_equal(clSetKernelArg(r->kernel, 17, sizeof shift, &shift), CL_SUCCESS);
    assert_int_equal(clSetKernelArg(r->kernel, 18, sizeof entry_words, &entry_words), CL_SUCCESS);
    assert_int_equal(clEnqueueNDRangeKernel(r->queue, r->kernel, 1, NULL, &n_words, &one, 0, NULL, NULL),
                     CL_SUCCESS);
    assert_int_equal(clEnqueueReadBuffer(r->queue, out, CL_TRUE, 0, expected->n_bytes, words, 0, NULL, NULL),
                     CL_SUCCESS);
    clReleaseMemObject(out);
    assert_memory_equal(words, expected->bytes, expected->n_bytes);
    free(words);
}

/* Page-aligned; no two of the first 2^32 words are alike. */
static struct table_source some_table(size_t n_bytes, size_t entry_bytes)
{
    uint32_t *words = aligned_alloc(ALIGNMENT, (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    assert_non_null(words);
    for (size_t i = 0; i < n_bytes / sizeof *words; i++)
        words[i] = (uint32_t)i * 2654435761u;
    return (struct table_source){
        .name = "the row table", .bytes = words, .n_bytes = n_bytes, .entry_bytes = entry_bytes};
}

static void free_table(const struct table_source *source)
{
    free((void *)(uintptr_t)source->bytes);
}

static struct table_plan plan(struct device *device, struct memory_wishes wishes,
                              const struct table_source *source)
{
    struct collide_error err = {0};
    struct table_plan p;
    if (tables_plan(device_info(device), &wishes, source, 1, &p, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return p;
}

static struct device_table *place(struct device *device, const struct table_source *source,
                                  const struct table_plan *p, struct progress *progress)
{
    struct collide_error err = {0};
    struct device_table *t;
    if (table_place(device, source, p, progress, &t, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return t;
}

/* Every setup of this machine; tables do not ask for an engine, so one of each memory is enough. */
static void on_every_memory(void (*body)(struct reader *r))
{
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n = devices_setups(setups);
    for (size_t i = 0; i < n; i++) {
        if (setups[i].engine != ENGINE_QUEUED)
            continue;
        struct reader r = reader_create(devices_open(&setups[i]));
        body(&r);
        reader_destroy(&r);
        devices_close(r.device);
    }
}

static void place_aligned(struct reader *r)
{
    struct table_source source = some_table(8192, 64);
    struct table_plan p = plan(r->device, (struct memory_wishes){.policy = TABLES_IN_PLACE}, &source);
    bool shares = device_info(r->device)->unified_memory;
    assert_int_equal(p.placement, shares ? PLACED_IN_PLACE : PLACED_COPIED);
    assert_int_equal(table_plan_moved_bytes(&source, &p), shares ? 0 : 8192);
    struct device_table *t = place(r->device, &source, &p, NULL);
    assert_holds(r, t, &p, &source);
    assert_null(table_address(t, 0));
    table_destroy(t);
    free_table(&source);
}

static void aligned_bytes_stay_in_place_where_memory_is_unified(void **state)
{
    (void)state;
    on_every_memory(place_aligned);
}

/* Copies that the device shares by address: host and device find every bank there, in the order of a list. */
static void place_and_gather(struct reader *r)
{
    if (!device_info(r->device)->fine_grain_svm)
        return;
    struct table_source sources[] = {some_table(9 * 1024, 64), some_table(5 << 20, 4), {.entry_bytes = 4}};
    const struct memory_wishes wishes[] = {
        {.max_bank_bytes = 4096}, {.policy = TABLES_COPIED}, {.policy = TABLES_COPIED}};
    struct device_table *tables[3], *all;
    struct table_plan plans[3];
    struct collide_error err = {0};
    size_t n_banks = 0, at = 0;
    for (int i = 0; i < 3; i++) {
        plans[i] = plan(r->device, wishes[i], &sources[i]);
        plans[i].placement = i == 1 ? PLACED_HUGE : PLACED_SHARED;
        assert_true(table_plan_is_shared(device_info(r->device), &plans[i]));
        tables[i] = place(r->device, &sources[i], &plans[i], NULL);
        n_banks += table_n_banks(tables[i]);
    }
    assert_int_equal(n_banks, 4 + 1 + 1);
    if (table_gather(r->device, (const struct device_table *const *)tables, 3, &all, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    const cl_ulong *addresses = table_address(all, 0);
    for (int i = 0; i < 3; i++)
        for (unsigned b = 0; b < table_n_banks(tables[i]); b++)
            assert_int_equal(addresses[at++], (uintptr_t)table_address(tables[i], b));
    assert_memory_equal(table_address(tables[0], 1), (const char *)sources[0].bytes + 4096, 4096);
    assert_memory_equal(table_address(tables[1], 0), sources[1].bytes, sources[1].n_bytes);
    assert_int_equal((uintptr_t)table_address(tables[1], 0) % (2 << 20), 0);
    assert_holds(r, tables[1], &plans[1], &sources[1]);
    table_destroy(all);
    for (int i = 0; i < 3; i++)
        table_destroy(tables[i]);
    free_table(&sources[0]);
    free_table(&sources[1]);
}

static void shared_copies_are_gathered_by_address(void **state)
{
    (void)state;
    on_every_memory(place_and_gather);
}

static void place_at_odd_address(struct reader *r)
{
    struct table_source source = some_table(8192, 4), kept = some_table(8192, 4), odd = source, same = kept;
    odd.bytes = (const char *)source.bytes + 4;
    same.bytes = (const char *)kept.bytes + 4;
    odd.n_bytes = same.n_bytes = 8188;
    struct table_plan p = plan(r->device, (struct memory_wishes){0}, &odd);
    struct device_table *t = place(r->device, &odd, &p, NULL);
    memset((void *)(uintptr_t)source.bytes, 0, source.n_bytes);
    assert_holds(r, t, &p, &same);
    table_destroy(t);
    free_table(&source);
    free_table(&kept);
}

static void bytes_at_an_odd_address_are_copied(void **state)
{
    (void)state;
    on_every_memory(place_at_odd_address);
}

static void place_every_way(struct reader *r)
{
    const size_t entries[] = {4, 12, 64, 68};
    for (size_t e = 0; e < sizeof entries / sizeof *entries; e++)
        for (enum placement way = PLACED_IN_PLACE; way <= PLACED_COPIED; way++) {
            struct table_source source = some_table(3 * 4096 / entries[e] * entries[e], entries[e]);
            struct table_plan p = plan(r->device, (struct memory_wishes){0}, &source);
            p.placement = way;
            struct device_table *t = place(r->device, &source, &p, NULL);
            assert_int_equal(device_n_objects(r->device), 1);
            assert_holds(r, t, &p, &source);
            table_destroy(t);
            free_table(&source);
        }
}

static void every_placement_gives_the_same_bytes(void **state)
{
    (void)state;
    on_every_memory(place_every_way);
}

/* Tables of 1 to 16 banks of 4096 bytes or somewhat less; the last one with bytes is rarely full. */
static void place_in_banks(struct reader *r)
{
    const size_t entries[] = {4, 12, 64, 68, 512}, kib[] = {3, 5, 9, 17, 31};
    struct memory_wishes wishes = {.max_bank_bytes = 4096};
    for (size_t e = 0; e < sizeof entries / sizeof *entries; e++)
        for (size_t k = 0; k < sizeof kib / sizeof *kib; k++)
            for (enum placement way = PLACED_HUGE; way <= PLACED_COPIED; way++) {
                size_t n = kib[k] * 1024 / entries[e];
                struct table_source source = some_table(n * entries[e], entries[e]);
                struct table_plan p = plan(r->device, wishes, &source);
                p.placement = way;
                struct device_table *t = place(r->device, &source, &p, NULL);
                assert_int_equal(table_n_banks(t), p.n_banks);
                assert_holds(r, t, &p, &source);
                table_destroy(t);
                free_table(&source);
            }
}

static void a_table_split_over_banks_reads_as_one(void **state)
{
    (void)state;
    on_every_memory(place_in_banks);
}

static void place_banks_in_place(struct reader *r)
{
    struct table_source source = some_table(13 * 4096 + 128, 64);
    struct table_plan p =
        plan(r->device, (struct memory_wishes){.policy = TABLES_IN_PLACE, .max_bank_bytes = 4096}, &source);
    bool shares = device_info(r->device)->unified_memory;
    assert_int_equal(p.placement, shares ? PLACED_IN_PLACE : PLACED_COPIED);
    assert_int_equal(p.n_banks, 16);
    struct device_table *t = place(r->device, &source, &p, NULL);
    assert_int_equal(device_n_objects(r->device), 16);
    assert_holds(r, t, &p, &source);
    table_destroy(t);
    free_table(&source);
}

static void banks_may_be_parts_of_the_hosts_bytes(void **state)
{
    (void)state;
    on_every_memory(place_banks_in_place);
}

static void place_nothing(struct reader *r)
{
    static const cl_uint zeros[16];
    for (enum placement way = PLACED_IN_PLACE; way <= PLACED_COPIED; way++) {
        struct table_source none = {.name = "the weights", .entry_bytes = 4},
                            read = {
                                .name = "zeros", .bytes = zeros, .n_bytes = sizeof zeros, .entry_bytes = 64};
        struct table_plan p = plan(r->device, (struct memory_wishes){0}, &none);
        p.placement = way;
        struct device_table *t = place(r->device, &none, &p, NULL);
        assert_holds(r, t, &p, &read);
        table_destroy(t);
    }
}

static void no_bytes_become_a_table_of_zeros(void **state)
{
    (void)state;
    on_every_memory(place_nothing);
}

/* The first bank takes more chunks than are in flight at a time, the second a part of one. */
static void upload_with_progress(struct reader *r)
{
    struct table_source source = some_table((68 << 20) + 68, 4);
    struct table_plan p = plan(r->device, (struct memory_wishes){.max_bank_bytes = 65 << 20}, &source);
    assert_int_equal(p.n_banks, 2);
    for (enum placement way = PLACED_HUGE; way <= PLACED_COPIED; way++) {
        p.placement = way;
        struct progress progress;
        uint64_t before = 1000;
        progress_begin(&progress, "uploading", before + table_plan_moved_bytes(&source, &p) + 1);
        progress_update(&progress, before, NULL);
        struct device_table *t = place(r->device, &source, &p, &progress);
        assert_int_equal(progress.done, before + source.n_bytes);
        assert_holds(r, t, &p, &source);
        table_destroy(t);
    }
    free_table(&source);
}

static void a_progress_counts_every_byte_that_moves(void **state)
{
    (void)state;
    struct reader r = reader_create(devices_open(&(struct device_setup){.device = 0}));
    upload_with_progress(&r);
    reader_destroy(&r);
    devices_close(r.device);
}

static void place_what_the_driver_refuses(struct reader *r)
{
    struct table_source rows = {.name = "the row table",
                                .bytes = "",
                                .n_bytes = device_info(r->device)->max_alloc_bytes + 4096,
                                .entry_bytes = 64};
    struct table_plan p = {.placement = PLACED_COPIED, .n_banks = 1, .shift = 40};
    struct collide_error err = {0};
    struct device_table *t = NULL;
    assert_int_not_equal(table_place(r->device, &rows, &p, NULL, &t, &err), COLLIDE_OK);
    assert_null(t);
    assert_non_null(strstr(err.text, "the row table"));
    assert_int_equal(device_n_objects(r->device), 0);
    table_destroy(NULL);
}

static void a_table_that_the_driver_refuses_is_named(void **state)
{
    (void)state;
    on_every_memory(place_what_the_driver_refuses);
}

static void make_regions(struct reader *r)
{
    struct device *device = r->device;
    const size_t sizes[] = {0, 1, 4096, 100001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct region region;
        struct collide_error err = {0};
        assert_int_equal(region_create(device, sizes[i], &region, &err), COLLIDE_OK);
        assert_true(region.n_bytes >= sizes[i] && region.n_bytes > 0);
        assert_int_equal((uintptr_t)region.host % 128, 0);
        assert_int_equal(region.staged == NULL, device_info(device)->fine_grain_svm);
        assert_int_equal(region.pinned == NULL, region.staged == NULL);
        for (size_t b = 0; b < region.n_bytes; b++)
            assert_int_equal(((char *)region.host)[b], 0);
        assert_int_equal(device_n_objects(device), region.staged ? 2 : 1);
        region_destroy(device, &region);
        assert_null(region.host);
        region_destroy(device, &region);
        assert_int_equal(device_n_objects(device), 0);
    }
}

static void regions_are_aligned_zeroed_and_counted_as_objects(void **state)
{
    (void)state;
    on_every_memory(make_regions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligned_bytes_stay_in_place_where_memory_is_unified),
        cmocka_unit_test(shared_copies_are_gathered_by_address),
        cmocka_unit_test(bytes_at_an_odd_address_are_copied),
        cmocka_unit_test(every_placement_gives_the_same_bytes),
        cmocka_unit_test(a_table_split_over_banks_reads_as_one),
        cmocka_unit_test(banks_may_be_parts_of_the_hosts_bytes),
        cmocka_unit_test(no_bytes_become_a_table_of_zeros),
        cmocka_unit_test(a_progress_counts_every_byte_that_moves),
        cmocka_unit_test(a_table_that_the_driver_refuses_is_named),
        cmocka_unit_test(regions_are_aligned_zeroed_and_counted_as_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
