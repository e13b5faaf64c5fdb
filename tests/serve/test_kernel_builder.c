/* Kernels that no cache holds, when there are requests to answer: another process's task, if it manages. */
#include "base/error.h"
#include "swap_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct built {
    struct scratch cache;
    struct swap_fixture fixture;
    char wide[2 * SCRATCH_PATH_BYTES]; /* a model of another shape */
    enum { BUILDS, BUILDS_NOTHING, FAILS, IS_CUT_SHORT } builder;
    unsigned n_asked;
};

static enum collide_status build(void *context, const struct service *s, const char *model_path,
                                 struct collide_error *err)
{
    struct built *b = context;
    struct collide_model *model;
    b->n_asked++;
    assert_string_equal(model_path, b->wide);
    switch (b->builder) {
    case FAILS:
        return error_set(err, COLLIDE_IO, "nobody does it");
    case IS_CUT_SHORT:
        service_drain(b->fixture.service);
        return error_set(err, COLLIDE_BUSY, "told to stop");
    case BUILDS_NOTHING:
        return COLLIDE_OK;
    case BUILDS:
        break;
    }
    assert_ptr_equal(s, b->fixture.service);
    assert_int_equal(collide_model_open(model_path, &model, err), COLLIDE_OK);
    assert_int_equal(collide_kernels_build(
                         model, &(struct collide_scorer_options){.cache_dir = b->cache.folder}, NULL, err),
                     COLLIDE_OK);
    collide_model_close(model);
    return COLLIDE_OK;
}

/* The model "m" is served. */
static int set_up(void **state)
{
    static struct built b;
    struct random_model wide = test_service_model;
    b = (struct built){.n_asked = 0};
    scratch_create(&b.cache);
    swap_fixture_create(&(struct service_options){.scorer.cache_dir = b.cache.folder,
                                                  .kernel_builder = {.build = build, .context = &b}},
                        &b.fixture);
    wide.dim += 8;
    scratch_path(&b.fixture.folder, "wide", b.wide);
    random_model_write(&wide, b.wide);
    swap_fixture_place(&b.fixture, 0);
    swap_fixture_load(&b.fixture);
    assert_int_equal(b.n_asked, 0); /* nobody was kept waiting */
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    struct built *b = *state;
    swap_fixture_destroy(&b->fixture);
    scratch_destroy(&b->cache);
    return 0;
}

static enum collide_status load_wide(struct built *b, struct collide_error *err)
{
    return service_models_load(b->fixture.service, "wide", b->wide, NULL, err);
}

static void keep_origin(void *context, const struct model_report *r)
{
    struct collide_scorer_info info;
    if (strcmp(r->name, "wide") != 0)
        return;
    collide_scorer_info(r->scorer, &info);
    *(const char **)context = info.kernels;
}

static void assert_loaded(struct built *b, const char *origin)
{
    struct collide_error err = {0};
    const char *got = NULL;
    if (load_wide(b, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    service_models_each(b->fixture.service, keep_origin, &got);
    assert_string_equal(got, origin);
    assert_int_equal(swap_fixture_served(&b->fixture, 0), 0);
}

static void a_new_shape_s_kernels_are_built_elsewhere_once(void **state)
{
    struct built *b = *state;
    assert_loaded(b, "cache");
    assert_int_equal(b->n_asked, 1);
    assert_loaded(b, "cache");
    assert_int_equal(service_models_unload(b->fixture.service, "wide", 0, NULL), COLLIDE_OK);
    assert_loaded(b, "cache");
    assert_int_equal(b->n_asked, 1);
    swap_fixture_place(&b->fixture, 1); /* a shape that is served */
    swap_fixture_load(&b->fixture);
    assert_int_equal(b->n_asked, 1);
}

static void where_nobody_builds_them_the_server_does(void **state)
{
    struct built *b = *state;
    b->builder = FAILS;
    assert_loaded(b, "source");
    assert_int_equal(b->n_asked, 1);
}

static void where_nothing_comes_of_it_the_server_builds_them(void **state)
{
    struct built *b = *state;
    b->builder = BUILDS_NOTHING;
    assert_loaded(b, "source");
    assert_int_equal(b->n_asked, 1);
}

static void a_service_that_is_to_stop_builds_nothing(void **state)
{
    struct built *b = *state;
    struct collide_error err = {0};
    b->builder = IS_CUT_SHORT;
    assert_int_equal(load_wide(b, &err), COLLIDE_BUSY);
    assert_string_equal(err.text, "told to stop while loading");
}

static void a_service_that_compiles_nothing_has_nothing_built(void **state)
{
    struct built *b = *state;
    struct collide_error err = {0};
    service_models_stop_compiling(b->fixture.service);
    assert_int_equal(load_wide(b, &err), COLLIDE_UNSUPPORTED);
    assert_int_equal(b->n_asked, 0);
}

static void what_cannot_be_loaded_at_all_is_not_built(void **state)
{
    struct built *b = *state;
    struct collide_error err = {0};
    assert_int_equal(service_models_load(b->fixture.service, "wide", "/nowhere", NULL, &err),
                     COLLIDE_NOT_FOUND);
    assert_int_equal(b->n_asked, 0);
}

#define BUILDER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUILDER_TEST(a_new_shape_s_kernels_are_built_elsewhere_once),
        BUILDER_TEST(where_nobody_builds_them_the_server_does),
        BUILDER_TEST(where_nothing_comes_of_it_the_server_builds_them),
        BUILDER_TEST(a_service_that_is_to_stop_builds_nothing),
        BUILDER_TEST(a_service_that_compiles_nothing_has_nothing_built),
        BUILDER_TEST(what_cannot_be_loaded_at_all_is_not_built),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
