/* The descriptors that the benchmarks run are right: small cases of every form, on every way to a device. */
#include "kernel_descriptor.h"
#include "support/devices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct kernel_shape shape_of(enum row_form form, enum id_distribution distribution)
{
    return (struct kernel_shape){.n_ids = 3000,
                                 .n_rows = distribution == IDS_UNIFORM ? 3000 : 200,
                                 .dim = 64,
                                 .bag = 20,
                                 .n_items = 7,
                                 .n_queries = 5,
                                 .form = form,
                                 .distribution = distribution,
                                 .biased = true};
}

static void check(const struct kernel_descriptor *descriptor, struct kernel_case *c, struct kernels *kernels)
{
    struct kernel_run run;
    struct collide_error err = {0};
    if (kernel_run_create(descriptor, c, kernels, &run, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    for (int i = 0; i < 3; i++) {
        double ns;
        kernel_run_fill(&run);
        if (kernel_run_batch(&run, &ns, &err) != COLLIDE_OK ||
            kernel_run_check(&run, c->shape.n_queries, &err) != COLLIDE_OK)
            fail_msg("%s of %s rows: %s", descriptor->name, row_form_name(c->shape.form), err.text);
        assert_true(ns > 0);
    }
    kernel_run_destroy(&run);
}

static void check_case(const struct device_setup *setup, const struct kernel_shape *shape)
{
    struct device *device = devices_open(setup);
    struct collide_error err = {0};
    struct kernel_case *c;
    struct kernels *kernels;
    const struct kernels_options options = {.engine = setup->engine, .cache_dir = TEST_CACHE_DIR};
    assert_int_equal(kernel_case_create(shape, 5, &c, &err), COLLIDE_OK);
    if (kernels_create(device, &c->model, &options, &kernels, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n_kernel_descriptors; i++)
        check(kernel_descriptors[i], c, kernels);
    kernels_destroy(kernels);
    kernel_case_destroy(c);
    devices_close(device);
}

static void each_kernel_agrees_with_its_reference_in_every_form_of_rows(void **state)
{
    (void)state;
    static struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n = devices_setups(setups);
    for (size_t i = 0; i < n; i++)
        for (enum row_form form = 0; form < N_ROW_FORMS; form++) {
            struct kernel_shape shape = shape_of(form, (enum id_distribution)(form % N_DISTRIBUTIONS));
            shape.packed = form == ROWS_I8_LINE;
            check_case(&setups[i], &shape);
        }
}

static void a_wrong_result_is_found(void **state)
{
    (void)state;
    static struct device_setup setups[DEVICES_MAX_SETUPS];
    if (devices_setups(setups) == 0)
        skip();
    struct device *device = devices_open(&setups[0]);
    const struct kernels_options options = {.engine = setups[0].engine, .cache_dir = TEST_CACHE_DIR};
    const struct kernel_shape shape = shape_of(ROWS_I8, IDS_UNIFORM);
    struct collide_error err = {0};
    struct kernel_case *c;
    struct kernels *kernels;
    double ns;
    assert_int_equal(kernel_case_create(&shape, 6, &c, &err), COLLIDE_OK);
    assert_int_equal(kernels_create(device, &c->model, &options, &kernels, &err), COLLIDE_OK);
    for (size_t i = 0; i < n_kernel_descriptors; i++) {
        struct kernel_run run;
        assert_int_equal(kernel_run_create(kernel_descriptors[i], c, kernels, &run, &err), COLLIDE_OK);
        kernel_run_fill(&run);
        assert_int_equal(kernel_run_batch(&run, &ns, &err), COLLIDE_OK);
        device_lane_scores(&run.lane, 0)[0] += 0.01f;
        assert_int_equal(kernel_run_check(&run, shape.n_queries, &err), COLLIDE_DEVICE);
        kernel_run_destroy(&run);
    }
    kernels_destroy(kernels);
    kernel_case_destroy(c);
    devices_close(device);
}

static void a_lookup_touches_the_lines_of_its_entry_its_row_and_its_scale(void **state)
{
    (void)state;
    static const struct {
        enum row_form form;
        uint32_t dim;
        double lines;
        uint64_t bytes; /* id, mapping entry, row, scales */
    } cases[] = {{ROWS_F32, 64, 5, 4 + 4 + 256},    {ROWS_I8_LINE, 64, 2, 4 + 4 + 64},
                 {ROWS_I8, 64, 3, 4 + 4 + 64 + 4},  {ROWS_I4, 128, 3, 4 + 4 + 64 + 4},
                 {ROWS_I8_LINE, 16, 2, 4 + 4 + 16}, {ROWS_F16, 24, 1 + 1.5, 4 + 4 + 48}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kernel_shape shape = shape_of(cases[i].form, IDS_UNIFORM);
        struct collide_error err;
        struct kernel_case *c;
        shape.dim = cases[i].dim;
        assert_int_equal(kernel_case_create(&shape, 1, &c, &err), COLLIDE_OK);
        assert_true(kernel_case_lookup_lines(c) == cases[i].lines);
        assert_int_equal(kernel_case_lookup_bytes(c), cases[i].bytes);
        kernel_case_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kernel_agrees_with_its_reference_in_every_form_of_rows),
        cmocka_unit_test(a_wrong_result_is_found),
        cmocka_unit_test(a_lookup_touches_the_lines_of_its_entry_its_row_and_its_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
