/* Orders to load and unload: in their order, and those alike at once. */
#include "serve/loader.h"

#include "swap_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

enum { N_PLACES = 64, N_ALIKE = 100 };

struct orders {
    struct swap_fixture fixture;
    struct loader *loader;
    atomic_uint n_done, n_failed;
};

static void on_started(void *context, const struct collide_error *err)
{
    (void)context;
    (void)err;
}

static void on_done(void *context, const struct collide_error *err)
{
    struct orders *o = context;
    atomic_fetch_add(&o->n_failed, err->status != COLLIDE_OK);
    atomic_fetch_add(&o->n_done, 1);
}

/* The model "m" is to be loaded when the loader's thread begins. */
static void setup_orders(struct orders *o)
{
    struct collide_error err = {0};
    swap_fixture_create(&(struct service_options){.keep_versions = 1}, &o->fixture);
    swap_fixture_place(&o->fixture, 0);
    const struct loader_options options = {.service = o->fixture.service, .started = on_started};
    if (service_models_add(o->fixture.service, "m", o->fixture.path, &err) != COLLIDE_OK ||
        loader_create(&options, &o->loader, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static void teardown_orders(struct orders *o)
{
    loader_destroy(o->loader);
    swap_fixture_destroy(&o->fixture);
}

static enum collide_status order(struct orders *o, enum load_kind kind, const char *name)
{
    struct load_order order = {.kind = kind, .done = on_done, .context = o};
    snprintf(order.name, sizeof order.name, "%s", name);
    return loader_order(o->loader, &order, NULL);
}

static void perform(struct orders *o, unsigned n_orders)
{
    assert_int_equal(loader_start(o->loader, NULL), COLLIDE_OK);
    while (atomic_load(&o->n_done) < n_orders)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    loader_stop(o->loader);
    assert_int_equal(atomic_load(&o->n_done), n_orders);
}

static void orders_alike_are_done_once_for_all(void **state)
{
    struct orders o = {.n_done = 0};
    (void)state;
    setup_orders(&o);
    for (unsigned i = 0; i < N_ALIKE; i++)
        assert_int_equal(order(&o, LOAD_MODEL, "m"), COLLIDE_OK);
    perform(&o, N_ALIKE);
    assert_int_equal(atomic_load(&o.n_failed), 0);
    assert_int_equal(swap_fixture_report(&o.fixture).n_loads, 2);
    teardown_orders(&o);
}

static void an_order_does_not_join_one_before_its_contrary(void **state)
{
    struct orders o = {.n_done = 0};
    (void)state;
    setup_orders(&o);
    assert_int_equal(order(&o, LOAD_MODEL, "m"), COLLIDE_OK);
    assert_int_equal(order(&o, UNLOAD_MODEL, "m"), COLLIDE_OK);
    assert_int_equal(order(&o, RELOAD_STALE, ""), COLLIDE_OK);
    assert_int_equal(order(&o, LOAD_MODEL, "m"), COLLIDE_OK);
    perform(&o, 4);
    assert_int_equal(atomic_load(&o.n_failed), 0);
    assert_int_equal(swap_fixture_report(&o.fixture).n_loads, 3);
    assert_int_equal(swap_fixture_served(&o.fixture, 0), 0);
    teardown_orders(&o);
}

static void a_full_queue_takes_what_waits_already_and_its_end_is_told_to_all(void **state)
{
    struct orders o = {.n_done = 0};
    char name[16];
    (void)state;
    setup_orders(&o);
    for (unsigned i = 0; i < N_PLACES; i++) {
        snprintf(name, sizeof name, "%u", i);
        assert_int_equal(order(&o, LOAD_MODEL, name), COLLIDE_OK);
    }
    assert_int_equal(order(&o, LOAD_MODEL, "m"), COLLIDE_BUSY);
    assert_int_equal(order(&o, UNLOAD_MODEL, "7"), COLLIDE_BUSY);
    assert_int_equal(order(&o, LOAD_MODEL, "7"), COLLIDE_OK);
    assert_int_equal(atomic_load(&o.n_done), 0);
    loader_stop(o.loader);
    assert_int_equal(atomic_load(&o.n_failed), N_PLACES + 1);
    teardown_orders(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_alike_are_done_once_for_all),
        cmocka_unit_test(an_order_does_not_join_one_before_its_contrary),
        cmocka_unit_test(a_full_queue_takes_what_waits_already_and_its_end_is_told_to_all),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
