#include "engine_fixture.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N_NUMBERS = 64 };

static void wait(struct engine_lane *lane, unsigned slot)
{
    struct collide_error err = {0};
    if (engine_wait(lane, slot, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

/* Runs a test's body once over every setup of this machine. */
static void on_every_setup(void (*body)(struct engine_fixture *f))
{
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n = devices_setups(setups);
    for (size_t i = 0; i < n; i++) {
        char text[128];
        struct engine_fixture f;
        print_message("    on %s\n", devices_describe(&setups[i], text, sizeof text));
        engine_fixture_open(&setups[i], &f);
        body(&f);
        engine_fixture_close(&f);
    }
}

static void run_each_kernel(struct engine_fixture *f)
{
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    for (unsigned slot = 0; slot < engine_lane_n_slots(lane); slot++)
        for (enum fixture_kernel kernel = 0; kernel < N_FIXTURE_KERNELS; kernel++) {
            engine_fixture_submit(lane, slot, kernel, N_NUMBERS, 7 + kernel);
            wait(lane, slot);
            assert_int_equal(engine_fixture_n_wrong(lane, slot, kernel, N_NUMBERS, 7 + kernel), 0);
        }
    engine_lane_destroy(lane);
}

static void results_are_there_after_a_wait(void **state)
{
    (void)state;
    on_every_setup(run_each_kernel);
}

static void poll_until_done(struct engine_fixture *f)
{
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    struct collide_error err = {0};
    bool done = false;
    engine_fixture_submit(lane, 0, KERNEL_CHURN, N_NUMBERS, 3);
    uint64_t give_up_ns = clock_now_ns() + 30000000000u;
    while (!done && clock_now_ns() < give_up_ns)
        assert_int_equal(engine_poll(lane, 0, &done, &err), COLLIDE_OK);
    assert_true(done);
    assert_int_equal(engine_fixture_n_wrong(lane, 0, KERNEL_CHURN, N_NUMBERS, 3), 0);
    engine_lane_destroy(lane);
}

static void polling_alone_sees_the_end(void **state)
{
    (void)state;
    on_every_setup(poll_until_done);
}

static void touch_idle_slots(struct engine_fixture *f)
{
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    struct collide_error err = {0};
    for (unsigned slot = 0; slot < engine_lane_n_slots(lane); slot++) {
        bool done = false;
        assert_int_equal(engine_poll(lane, slot, &done, &err), COLLIDE_OK);
        assert_true(done);
        wait(lane, slot);
        engine_fixture_submit(lane, slot, KERNEL_MULTIPLY, 0, 1);
        wait(lane, slot);
        wait(lane, slot);
    }
    engine_lane_destroy(lane);
}

static void an_idle_slot_and_an_empty_batch_are_done(void **state)
{
    (void)state;
    on_every_setup(touch_idle_slots);
}

static void keep_all_slots_in_flight(struct engine_fixture *f)
{
    enum { N_ROUNDS = 200 };
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    unsigned n_slots = engine_lane_n_slots(lane);
    assert_int_equal(n_slots, engine_kind_of(f->engine) == ENGINE_QUEUED ? 2 : 1);
    for (uint32_t round = 0; round < N_ROUNDS; round++) {
        for (unsigned slot = 0; slot < n_slots; slot++)
            engine_fixture_submit(lane, slot, (slot + round) % 2, N_NUMBERS, round * n_slots + slot);
        for (unsigned i = 0; i < n_slots; i++) {
            unsigned slot = round % 3 ? i : n_slots - 1 - i; /* in order, and the last one first */
            wait(lane, slot);
            assert_int_equal(
                engine_fixture_n_wrong(lane, slot, (slot + round) % 2, N_NUMBERS, round * n_slots + slot), 0);
        }
    }
    engine_lane_destroy(lane);
}

static void slots_in_flight_keep_their_batches_apart(void **state)
{
    (void)state;
    on_every_setup(keep_all_slots_in_flight);
}

static void destroy_at_work(struct engine_fixture *f)
{
    for (uint32_t round = 0; round < 20; round++) {
        struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
        for (unsigned slot = 0; slot < engine_lane_n_slots(lane); slot++)
            engine_fixture_submit(lane, slot, KERNEL_CHURN, N_NUMBERS, round);
        engine_lane_destroy(lane);
    }
}

static void a_lane_may_be_destroyed_with_work_in_flight(void **state)
{
    (void)state;
    on_every_setup(destroy_at_work);
}

/* One thread's lane, and how many of its results were not there when the wait was over. */
struct worker {
    struct engine_lane *lane;
    uint32_t number;
    size_t n_early;
    size_t n_failed;
};

static void *work(void *argument)
{
    enum { N_ROUNDS = 1500, N_FEW = 8 };
    struct worker *w = argument;
    for (uint32_t round = 0; round < N_ROUNDS; round++) {
        unsigned slot = round % engine_lane_n_slots(w->lane);
        uint32_t seed = (w->number << 20) + round;
        engine_fixture_submit(w->lane, slot, KERNEL_CHURN, N_FEW, seed);
        w->n_failed += engine_wait(w->lane, slot, NULL) != COLLIDE_OK;
        w->n_early += engine_fixture_n_wrong(w->lane, slot, KERNEL_CHURN, N_FEW, seed) != 0;
    }
    return NULL;
}

/* PoCL keeps one list of ready commands for all threads that use its caller-thread device: none may take
 * another's, and be told of its end before it is over. */
static void work_with_many_threads(struct engine_fixture *f)
{
    enum { N_THREADS = 4 };
    struct worker workers[N_THREADS];
    pthread_t threads[N_THREADS];
    for (uint32_t i = 0; i < N_THREADS; i++)
        workers[i] = (struct worker){.lane = engine_fixture_lane(f, N_NUMBERS), .number = i};
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < N_THREADS; i++) {
        assert_int_equal(workers[i].n_failed, 0);
        assert_int_equal(workers[i].n_early, 0);
        engine_lane_destroy(workers[i].lane);
    }
}

static void a_wait_means_done_with_many_threads(void **state)
{
    (void)state;
    on_every_setup(work_with_many_threads);
}

static void direct_engine_needs_shared_memory(void **state)
{
    (void)state;
    struct device_setup setup = {.device = 0, .engine = ENGINE_QUEUED, .memory = MEMORY_STAGED};
    struct engine_fixture f;
    devices_list();
    engine_fixture_open(&setup, &f);
    struct collide_error err = {0};
    struct engine *engine = NULL;
    struct engine_spec spec = {.device = f.device, .program = f.program};
    assert_int_equal(engine_create(ENGINE_DIRECT, &spec, &engine, &err), COLLIDE_UNSUPPORTED);
    assert_null(engine);
    assert_non_null(strstr(err.text, "queued"));
    engine_fixture_close(&f);
}

static void auto_engine_follows_the_device(void **state)
{
    (void)state;
    const struct platform_list *list = devices_list();
    for (unsigned i = 0; i < list->n_devices; i++) {
        struct device_setup setup = {.device = i, .engine = ENGINE_AUTO};
        struct engine_fixture f;
        engine_fixture_open(&setup, &f);
        assert_int_equal(engine_kind_of(f.engine),
                         list->devices[i].runs_in_caller ? ENGINE_DIRECT : ENGINE_QUEUED);
        engine_fixture_close(&f);
    }
}

static void a_kernel_that_is_not_there_is_named_and_nothing_leaks(void **state)
{
    (void)state;
    struct device_setup setup = {.device = 0, .engine = ENGINE_QUEUED};
    struct engine_fixture f;
    devices_list();
    engine_fixture_open(&setup, &f);
    struct collide_error err = {0};
    struct engine *engine;
    struct engine_lane *lane = NULL;
    struct engine_spec spec = {.device = f.device,
                               .program = f.program,
                               .kernels = {"multiply", "absent"},
                               .n_kernels = 2,
                               .tables = {f.factor},
                               .n_tables = 1,
                               .n_regions = 2};
    const size_t bytes[] = {4096, 4096};
    int n_before = device_n_objects(f.device);
    assert_int_equal(engine_create(ENGINE_QUEUED, &spec, &engine, &err), COLLIDE_OK);
    assert_int_equal(engine_lane_create(engine, bytes, &lane, &err), COLLIDE_DEVICE);
    assert_null(lane);
    assert_non_null(strstr(err.text, "absent"));
    assert_int_equal(device_n_objects(f.device), n_before);
    engine_destroy(engine);
    engine_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_there_after_a_wait),
        cmocka_unit_test(polling_alone_sees_the_end),
        cmocka_unit_test(an_idle_slot_and_an_empty_batch_are_done),
        cmocka_unit_test(slots_in_flight_keep_their_batches_apart),
        cmocka_unit_test(a_lane_may_be_destroyed_with_work_in_flight),
        cmocka_unit_test(a_wait_means_done_with_many_threads),
        cmocka_unit_test(direct_engine_needs_shared_memory),
        cmocka_unit_test(auto_engine_follows_the_device),
        cmocka_unit_test(a_kernel_that_is_not_there_is_named_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
