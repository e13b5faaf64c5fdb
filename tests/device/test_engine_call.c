/* Machine code that is called: where it is, that it stays there, and what is refused. What it computes is
 * tested with that of the other engines. */
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool find_setup(struct device_setup *out)
{
    struct device_setup setups[DEVICES_MAX_SPECIAL];
    size_t n = devices_special_setups(setups);
    for (size_t i = 0; i < n; i++)
        if (setups[i].engine == ENGINE_CALL) {
            *out = setups[i];
            return true;
        }
    return false;
}

static void open_or_skip(struct engine_fixture *f)
{
    struct device_setup setup;
    if (!find_setup(&setup))
        skip();
    engine_fixture_open_device(&setup, f);
}

static void it_is_the_default_where_it_is_offered(void **state)
{
    struct engine_fixture f;
    struct collide_error err;
    (void)state;
    open_or_skip(&f);
    assert_int_equal(engine_create(ENGINE_AUTO, &f.spec, &f.engine, &err), COLLIDE_OK);
    assert_int_equal(engine_kind_of(f.engine), ENGINE_CALL);
    engine_fixture_close(&f);
}

static void expect_refusal(struct engine_fixture *f, enum collide_status expected, const char *text)
{
    struct collide_error err;
    struct engine *engine = NULL;
    int n_before = device_n_objects(f->device);
    assert_int_equal(engine_create(ENGINE_CALL, &f->spec, &engine, &err), expected);
    assert_null(engine);
    assert_non_null(strstr(err.text, text));
    assert_int_equal(device_n_objects(f->device), n_before);
}

static void what_is_not_there_is_said(void **state)
{
    struct engine_fixture f;
    (void)state;
    open_or_skip(&f);
    f.spec.call_kernel = "absent";
    expect_refusal(&f, COLLIDE_DEVICE, "absent");
    f.spec.call_kernel = "call_nothing";
    expect_refusal(&f, COLLIDE_DEVICE, "direct");
    f.spec.call_kernel = NULL;
    expect_refusal(&f, COLLIDE_UNSUPPORTED, "direct");
    f.spec.call_kernel = "call";
    f.spec.gathered = NULL;
    expect_refusal(&f, COLLIDE_UNSUPPORTED, "direct");
    engine_fixture_close(&f);
}

static void devices_that_are_not_known_to_give_it_are_refused(void **state)
{
    struct device_info device = {.name = "A device", .fine_grain_svm = true, .runs_in_caller = true};
    struct collide_error err;
    (void)state;
    assert_int_equal(engine_check_device(ENGINE_CALL, &device, &err), COLLIDE_UNSUPPORTED);
    assert_non_null(strstr(err.text, "direct"));
    device.runs_in_caller = false;
    assert_int_equal(engine_check_device(ENGINE_CALL, &device, &err), COLLIDE_UNSUPPORTED);
    assert_non_null(strstr(err.text, "queued"));
    device.gives_machine_code = true;
    assert_int_equal(engine_check_device(ENGINE_CALL, &device, &err), COLLIDE_OK);
}

/* Two engines of one program have the same code; the last one's end is the code's. */
static void one_engine_ends_and_another_goes_on(void **state)
{
    enum { N = 64 };
    struct engine_fixture f;
    struct engine *other = NULL;
    struct collide_error err;
    (void)state;
    open_or_skip(&f);
    assert_int_equal(engine_create(ENGINE_CALL, &f.spec, &other, &err), COLLIDE_OK);
    assert_int_equal(engine_create(ENGINE_CALL, &f.spec, &f.engine, &err), COLLIDE_OK);
    engine_destroy(other);
    struct engine_lane *lane = engine_fixture_lane(&f, N);
    engine_fixture_submit(lane, 0, WORK_STAGE_AND_GATHER, N, 7);
    engine_fixture_wait(lane, 0);
    assert_int_equal(engine_fixture_n_wrong(lane, 0, WORK_STAGE_AND_GATHER, N, 7), 0);
    engine_lane_destroy(lane);
    engine_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_default_where_it_is_offered),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(devices_that_are_not_known_to_give_it_are_refused),
        cmocka_unit_test(one_engine_ends_and_another_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
