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
    const struct kernels_options options = {.engine = setup->engine, .cache_dir = ""};
    assert_int_equal(kernel_case_create(shape, 5, &c, &err), COLLIDE_OK);
    if (kernels_create(device, &c->model, &options, &kernels, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n_kernel_descriptors; i++)
        check(kernel_descriptors[i], c, kernels);
    kernels->max_parts = 3 * shape->n_queries; /* as on a device with many compute units */
    check(&kernel_topk, c, kernels);
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

/* Cases of one kind on the first device. */
struct small_case {
    struct device *device;
    struct kernel_case *problem;
    struct kernels *kernels;
};

static struct small_case open_small_case(void)
{
    static struct device_setup setups[DEVICES_MAX_SETUPS];
    if (devices_setups(setups) == 0)
        skip();
    struct small_case s = {.device = devices_open(&setups[0])};
    const struct kernels_options options = {.engine = setups[0].engine, .cache_dir = ""};
    const struct kernel_shape shape = shape_of(ROWS_I8, IDS_UNIFORM);
    struct collide_error err = {0};
    assert_int_equal(kernel_case_create(&shape, 6, &s.problem, &err), COLLIDE_OK);
    assert_int_equal(kernels_create(s.device, &s.problem->model, &options, &s.kernels, &err), COLLIDE_OK);
    return s;
}

static void close_small_case(struct small_case *s)
{
    kernels_destroy(s->kernels);
    kernel_case_destroy(s->problem);
    devices_close(s->device);
}

static void run_batch(const struct kernel_descriptor *descriptor, struct small_case *s,
                      struct kernel_run *run)
{
    struct collide_error err = {0};
    double ns;
    if (kernel_run_create(descriptor, s->problem, s->kernels, run, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    kernel_run_fill(run);
    if (kernel_run_batch(run, &ns, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static void a_wrong_score_is_found(void **state)
{
    static const struct kernel_descriptor *const descriptors[] = {&kernel_bag, &kernel_score};
    struct small_case s = open_small_case();
    struct collide_error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++) {
        struct kernel_run run;
        run_batch(descriptors[i], &s, &run);
        assert_int_equal(kernel_run_check(&run, s.problem->shape.n_queries, &err), COLLIDE_OK);
        device_lane_scores(&run.lane, 0)[0] += 0.01f;
        assert_int_equal(kernel_run_check(&run, s.problem->shape.n_queries, &err), COLLIDE_DEVICE);
        kernel_run_destroy(&run);
    }
    close_small_case(&s);
}

/* Each makes another mistake in query 0's n hits; best is the first of them all, other some other one. */
static void spoil_score(device_hit *hits, size_t n, size_t best, size_t other)
{
    (void)n;
    (void)other;
    hits[best].score += 0.01f;
}

static void spoil_by_repeating(device_hit *hits, size_t n, size_t best, size_t other)
{
    (void)n;
    hits[other] = hits[best];
}

static void spoil_by_inventing(device_hit *hits, size_t n, size_t best, size_t other)
{
    (void)n;
    (void)other;
    hits[best].id = 3000;
}

/* The best one is left out, and the others of its part remain. */
static void spoil_by_losing(device_hit *hits, size_t n, size_t best, size_t other)
{
    (void)n;
    (void)other;
    hits[best].id = ID_BY_KEY;
}

static void spoil_by_losing_all(device_hit *hits, size_t n, size_t best, size_t other)
{
    (void)best;
    (void)other;
    for (size_t j = 0; j < n; j++)
        hits[j].id = ID_BY_KEY;
}

static void check_that_spoilt_hits_are_found(struct small_case *s, uint32_t n_parts)
{
    static void (*const mistakes[])(device_hit * hits, size_t n, size_t best, size_t other) = {
        spoil_score, spoil_by_repeating, spoil_by_inventing, spoil_by_losing, spoil_by_losing_all};
    struct collide_error err = {0};
    s->kernels->max_parts = n_parts * s->problem->shape.n_queries;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct kernel_run run;
        run_batch(&kernel_topk, s, &run);
        size_t n = (size_t)n_parts * KERNEL_TOPK_K, best = 0;
        device_hit *hits = (device_hit *)device_lane_scores(&run.lane, 0);
        assert_int_equal(run.fill.queries[0].n_parts, n_parts);
        for (size_t j = 0; j < n; j++)
            best = hits[j].score > hits[best].score ? j : best;
        assert_int_equal(kernel_run_check(&run, s->problem->shape.n_queries, &err), COLLIDE_OK);
        mistakes[i](hits, n, best, best ? 0 : 1);
        if (kernel_run_check(&run, s->problem->shape.n_queries, &err) != COLLIDE_DEVICE)
            fail_msg("mistake %zu in %u parts is not found", i, n_parts);
        kernel_run_destroy(&run);
    }
}

static void wrong_hits_are_found(void **state)
{
    struct small_case s = open_small_case();
    (void)state;
    check_that_spoilt_hits_are_found(&s, 1);
    check_that_spoilt_hits_are_found(&s, 3);
    close_small_case(&s);
}

static void a_lookup_touches_the_lines_of_its_entry_its_row_and_its_scale(void **state)
{
    (void)state;
    static const struct {
        enum row_form form;
        uint32_t dim;
        double lines;
        double bytes; /* id, mapping entry, row, scales */
    } cases[] = {{ROWS_F32, 64, 5, 4 + 4 + 256},
                 {ROWS_I8_LINE, 64, 2, 4 + 4 + 64},
                 {ROWS_I8, 64, 3, 4 + 4 + 64 + 4},
                 {ROWS_I4, 128, 3, 4 + 4 + 64 + 4},
                 {ROWS_I8_LINE, 16, 2, 4 + 4 + 16},
                 {ROWS_F16, 24, 1 + 1.5, 4 + 4 + 48},
                 {ROWS_I3, 64, 1 + 1.25 + 1, 4 + 4 + 24 + 4},
                 {ROWS_I2, 64, 3, 4 + 4 + 16 + 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kernel_shape shape = shape_of(cases[i].form, IDS_UNIFORM);
        struct collide_error err;
        struct kernel_case *c;
        shape.dim = cases[i].dim;
        assert_int_equal(kernel_case_create(&shape, 1, &c, &err), COLLIDE_OK);
        assert_true(kernel_case_lookup_lines(c) == cases[i].lines);
        assert_true(kernel_case_lookup_bytes(c) == cases[i].bytes);
        kernel_case_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kernel_agrees_with_its_reference_in_every_form_of_rows),
        cmocka_unit_test(a_wrong_score_is_found),
        cmocka_unit_test(wrong_hits_are_found),
        cmocka_unit_test(a_lookup_touches_the_lines_of_its_entry_its_row_and_its_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
