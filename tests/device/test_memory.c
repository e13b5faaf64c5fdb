#include "support/devices.h"

#include "device/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_BYTES = 8192, ALIGNMENT = 4096 };

/* Reads a table back from its device. */
static void assert_holds(struct device *device, const struct device_table *t, const void *expected, size_t n)
{
    cl_int code;
    char *bytes = malloc(n);
    assert_non_null(bytes);
    cl_command_queue queue =
        clCreateCommandQueueWithProperties(device_context(device), device_info(device)->id, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_int_equal(clEnqueueReadBuffer(queue, table_handle(t), CL_TRUE, 0, n, bytes, 0, NULL, NULL),
                     CL_SUCCESS);
    clReleaseCommandQueue(queue);
    assert_memory_equal(bytes, expected, n);
    free(bytes);
}

static char *some_bytes(void)
{
    char *bytes = aligned_alloc(ALIGNMENT, N_BYTES);
    assert_non_null(bytes);
    for (size_t i = 0; i < N_BYTES; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return bytes;
}

static struct device_table *place(struct device *device, const char *name, const void *bytes, size_t n)
{
    struct collide_error err = {0};
    struct device_table *t;
    if (table_place(device, name, bytes, n, &t, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return t;
}

/* Every setup of this machine; tables do not ask for an engine, so one of each memory is enough. */
static void on_every_memory(void (*body)(struct device *device))
{
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n = devices_setups(setups);
    for (size_t i = 0; i < n; i++) {
        if (setups[i].engine != ENGINE_QUEUED)
            continue;
        struct device *device = devices_open(&setups[i]);
        body(device);
        devices_close(device);
    }
}

static void place_aligned(struct device *device)
{
    char *bytes = some_bytes();
    struct device_table *t = place(device, "bytes", bytes, N_BYTES);
    bool shares = device_info(device)->unified_memory;
    assert_int_equal(table_placement(t), shares ? PLACED_IN_PLACE : PLACED_COPIED);
    assert_holds(device, t, bytes, N_BYTES);
    table_destroy(t);
    free(bytes);
}

static void aligned_bytes_stay_in_place_where_memory_is_unified(void **state)
{
    (void)state;
    on_every_memory(place_aligned);
}

static void place_at_odd_address(struct device *device)
{
    char *bytes = some_bytes(), *kept = some_bytes();
    struct device_table *t = place(device, "bytes", bytes + 4, N_BYTES - 4);
    assert_int_equal(table_placement(t), PLACED_COPIED);
    memset(bytes, 0, N_BYTES);
    assert_holds(device, t, kept + 4, N_BYTES - 4);
    table_destroy(t);
    free(kept);
    free(bytes);
}

static void bytes_at_an_odd_address_are_copied(void **state)
{
    (void)state;
    on_every_memory(place_at_odd_address);
}

static void place_nothing(struct device *device)
{
    static const char zeros[64];
    struct device_table *t = place(device, "nothing", NULL, 0);
    assert_holds(device, t, zeros, sizeof zeros);
    table_destroy(t);
}

static void no_bytes_become_a_table_of_zeros(void **state)
{
    (void)state;
    on_every_memory(place_nothing);
}

static void place_too_much(struct device *device)
{
    struct collide_error err = {0};
    struct device_table *t = NULL;
    size_t n = device_info(device)->max_alloc_bytes + 1;
    assert_int_equal(table_place(device, "the row table", "", n, &t, &err), COLLIDE_NO_MEMORY);
    assert_null(t);
    assert_non_null(strstr(err.text, "the row table"));
}

static void a_table_beyond_the_devices_limit_is_named(void **state)
{
    (void)state;
    on_every_memory(place_too_much);
}

static void make_regions(struct device *device)
{
    const size_t sizes[] = {0, 1, 4096, 100001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct region r;
        struct collide_error err = {0};
        assert_int_equal(region_create(device, sizes[i], &r, &err), COLLIDE_OK);
        assert_true(r.n_bytes >= sizes[i] && r.n_bytes > 0);
        assert_int_equal((uintptr_t)r.host % 128, 0);
        assert_int_equal(r.staged == NULL, device_info(device)->fine_grain_svm);
        for (size_t b = 0; b < r.n_bytes; b++)
            assert_int_equal(((char *)r.host)[b], 0);
        assert_int_equal(device_n_objects(device), 1);
        region_destroy(device, &r);
        assert_null(r.host);
        region_destroy(device, &r);
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
        cmocka_unit_test(bytes_at_an_odd_address_are_copied),
        cmocka_unit_test(no_bytes_become_a_table_of_zeros),
        cmocka_unit_test(a_table_beyond_the_devices_limit_is_named),
        cmocka_unit_test(regions_are_aligned_zeroed_and_counted_as_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
