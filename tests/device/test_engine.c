#include "engine_fixture.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N_NUMBERS = 64 };

static void run_each_work(struct engine_fixture *f)
{
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    for (unsigned slot = 0; slot < engine_lane_n_slots(lane); slot++)
        for (enum fixture_work work = 0; work < N_FIXTURE_WORKS; work++) {
            engine_fixture_submit(lane, slot, work, N_NUMBERS, 7 + work);
            engine_fixture_wait(lane, slot);
            assert_int_equal(engine_fixture_n_wrong(lane, slot, work, N_NUMBERS, 7 + work), 0);
        }
    engine_lane_destroy(lane);
}

static void results_are_there_after_a_wait(void **state)
{
    (void)state;
    engine_fixture_each(run_each_work);
}

static void run_many_shapes(struct engine_fixture *f)
{
    static const size_t shapes[] = {4, 8, 12, 64, 100, 1000, 4096};
    struct engine_lane *lane = engine_fixture_lane(f, 4096);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (enum fixture_work work = 0; work < N_FIXTURE_WORKS; work++) {
            uint32_t seed = (uint32_t)(i * N_FIXTURE_WORKS) + work;
            engine_fixture_submit(lane, 0, work, shapes[i], seed);
            engine_fixture_wait(lane, 0);
            assert_int_equal(engine_fixture_n_wrong(lane, 0, work, shapes[i], seed), 0);
        }
    engine_lane_destroy(lane);
}

static void results_are_right_for_many_shapes(void **state)
{
    (void)state;
    engine_fixture_each(run_many_shapes);
}

static void submit(struct engine_lane *lane, const struct engine_work *work)
{
    struct collide_error err = {0};
    if (engine_submit(lane, 0, work, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    engine_fixture_wait(lane, 0);
}

/* An empty step before the only real one, of kernel 0: out[0] = factor * in[0] + addends[0]. */
static void skip_an_empty_step(struct engine_fixture *f)
{
    const struct engine_work work = {.steps = {{1, 0}, {0, 1}}, .n_steps = 2, .used_bytes = {4, 4, 4}};
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    uint32_t *in = engine_lane_region(lane, 0, REGION_INPUT),
             *out = engine_lane_region(lane, 0, REGION_OUTPUT);
    in[0] = 0;
    submit(lane, &work);
    assert_int_equal(out[0], 11);
    engine_lane_destroy(lane);
}

static void an_empty_step_is_left_out(void **state)
{
    (void)state;
    engine_fixture_each(skip_an_empty_step);
}

/* Half of the results are said to matter. Where regions are staged, the rest stays on the device, as scratch
 * does. */
static void move_what_is_used(struct engine_fixture *f)
{
    const struct engine_work work = {.steps = {{2, N_NUMBERS / FIXTURE_STAGE_WIDTH}, {3, N_NUMBERS}},
                                     .n_steps = 2,
                                     .used_bytes = {N_NUMBERS * 4, N_NUMBERS * 4, N_NUMBERS * 2}};
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    uint32_t *scratch = engine_lane_region(lane, 0, REGION_BETWEEN),
             *out = engine_lane_region(lane, 0, REGION_OUTPUT);
    memset(engine_lane_region(lane, 0, REGION_INPUT), 0, N_NUMBERS * 4);
    memset(out, 0xab, N_NUMBERS * 4);
    memset(scratch, 0xab, N_NUMBERS * 4);
    submit(lane, &work);
    bool staged = !device_info(f->device)->fine_grain_svm;
    for (size_t i = 0; i < N_NUMBERS; i++) {
        assert_int_equal(out[i] == 0xabababab, staged && i >= N_NUMBERS / 2);
        assert_int_equal(scratch[i] == 0xabababab, staged);
    }
    engine_lane_destroy(lane);
}

static void only_what_is_used_is_moved(void **state)
{
    (void)state;
    engine_fixture_each(move_what_is_used);
}

static void poll_until_done(struct engine_fixture *f)
{
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    struct collide_error err = {0};
    bool done = false;
    engine_fixture_submit(lane, 0, WORK_CHURN, N_NUMBERS, 3);
    uint64_t give_up_ns = clock_now_ns() + 30000000000u;
    while (!done && clock_now_ns() < give_up_ns)
        assert_int_equal(engine_poll(lane, 0, &done, &err), COLLIDE_OK);
    assert_true(done);
    assert_int_equal(engine_fixture_n_wrong(lane, 0, WORK_CHURN, N_NUMBERS, 3), 0);
    engine_lane_destroy(lane);
}

static void polling_alone_sees_the_end(void **state)
{
    (void)state;
    engine_fixture_each(poll_until_done);
}

static void touch_idle_slots(struct engine_fixture *f)
{
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    struct collide_error err = {0};
    for (unsigned slot = 0; slot < engine_lane_n_slots(lane); slot++) {
        bool done = false;
        assert_int_equal(engine_poll(lane, slot, &done, &err), COLLIDE_OK);
        assert_true(done);
        engine_fixture_wait(lane, slot);
        engine_fixture_submit(lane, slot, WORK_MULTIPLY, 0, 1);
        engine_fixture_wait(lane, slot);
        engine_fixture_wait(lane, slot);
    }
    engine_lane_destroy(lane);
}

static void an_idle_slot_and_an_empty_batch_are_done(void **state)
{
    (void)state;
    engine_fixture_each(touch_idle_slots);
}

static void keep_all_slots_in_flight(struct engine_fixture *f)
{
    enum { N_ROUNDS = 200 };
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    unsigned n_slots = engine_lane_n_slots(lane);
    assert_true(n_slots > 1 || engine_kind_of(f->engine) == ENGINE_DIRECT ||
                engine_kind_of(f->engine) == ENGINE_CALL);
    for (uint32_t round = 0; round < N_ROUNDS; round++) {
        for (unsigned slot = 0; slot < n_slots; slot++)
            engine_fixture_submit(lane, slot, (slot + round) % N_FIXTURE_WORKS, N_NUMBERS,
                                  round * n_slots + slot);
        for (unsigned i = 0; i < n_slots; i++) {
            unsigned slot = round % 3 ? i : n_slots - 1 - i; /* in order, and the last one first */
            engine_fixture_wait(lane, slot);
            assert_int_equal(engine_fixture_n_wrong(lane, slot, (slot + round) % N_FIXTURE_WORKS, N_NUMBERS,
                                                    round * n_slots + slot),
                             0);
        }
    }
    engine_lane_destroy(lane);
}

static void slots_in_flight_keep_their_batches_apart(void **state)
{
    (void)state;
    engine_fixture_each(keep_all_slots_in_flight);
}

static void destroy_at_work(struct engine_fixture *f)
{
    for (uint32_t round = 0; round < 20; round++) {
        struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
        for (unsigned slot = 0; slot < engine_lane_n_slots(lane); slot++)
            engine_fixture_submit(lane, slot, WORK_CHURN, N_NUMBERS, round);
        engine_lane_destroy(lane);
    }
}

static void a_lane_may_be_destroyed_with_work_in_flight(void **state)
{
    (void)state;
    engine_fixture_each(destroy_at_work);
}

/* One thread's lane, and how many of its results were not there when the wait was over. */
struct worker {
    struct engine_lane *lane;
    uint32_t number;
    size_t n_early;
    size_t n_failed;
};

static void *work_alone(void *argument)
{
    enum { N_ROUNDS = 1500, N_FEW = 8 };
    struct worker *w = argument;
    for (uint32_t round = 0; round < N_ROUNDS; round++) {
        unsigned slot = round % engine_lane_n_slots(w->lane);
        uint32_t seed = (w->number << 20) + round;
        engine_fixture_submit(w->lane, slot, round % N_FIXTURE_WORKS, N_FEW, seed);
        w->n_failed += engine_wait(w->lane, slot, NULL) != COLLIDE_OK;
        w->n_early += engine_fixture_n_wrong(w->lane, slot, round % N_FIXTURE_WORKS, N_FEW, seed) != 0;
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
        assert_int_equal(pthread_create(&threads[i], NULL, work_alone, &workers[i]), 0);
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
    engine_fixture_each(work_with_many_threads);
}

static void expect_refusal(struct engine_fixture *f, enum engine_kind kind)
{
    struct collide_error err = {0};
    struct engine *engine = NULL;
    assert_int_equal(engine_create(kind, &f->spec, &engine, &err), COLLIDE_UNSUPPORTED);
    assert_null(engine);
    assert_non_null(strstr(err.text, "queued"));
}

static void engines_that_share_memory_are_refused_where_none_is_shared(void **state)
{
    (void)state;
    struct device_setup setup = {.device = 0, .engine = ENGINE_QUEUED, .memory = MEMORY_STAGED};
    struct engine_fixture f;
    devices_list();
    engine_fixture_open(&setup, &f);
    expect_refusal(&f, ENGINE_CALL);
    expect_refusal(&f, ENGINE_DIRECT);
    expect_refusal(&f, ENGINE_RING);
    engine_fixture_close(&f);
}

static void a_ring_is_refused_where_no_kernel_has_atomics(void **state)
{
    (void)state;
    struct device_info device = {
        .name = "A device", .fine_grain_svm = true, .svm_atomics = true, .atomics = ATOMICS_CL2};
    struct collide_error err = {0};
    assert_int_equal(engine_check_device(ENGINE_RING, &device, &err), COLLIDE_OK);
    device.atomics = ATOMICS_NONE;
    assert_int_equal(engine_check_device(ENGINE_RING, &device, &err), COLLIDE_UNSUPPORTED);
    assert_non_null(strstr(err.text, "queued"));
    assert_int_equal(engine_check_device(ENGINE_DIRECT, &device, &err), COLLIDE_OK);
}

static void no_resident_kernel_no_ring(void **state)
{
    (void)state;
    struct device_setup setup = {.device = 0, .engine = ENGINE_QUEUED};
    struct engine_fixture f;
    devices_list();
    engine_fixture_open(&setup, &f);
    f.spec.ring_kernel = NULL;
    expect_refusal(&f, ENGINE_RING);
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

static void names_of_engines_are_read_back(void **state)
{
    (void)state;
    struct collide_error err = {0};
    enum engine_kind kind;
    for (enum engine_kind k = ENGINE_AUTO; k <= ENGINE_RING; k++) {
        assert_int_equal(engine_kind_parse(engine_kind_name(k), &kind, &err), COLLIDE_OK);
        assert_int_equal(kind, k);
    }
    assert_int_equal(engine_kind_parse("rings", &kind, &err), COLLIDE_INVALID);
}

static void a_kernel_that_is_not_there_is_named_and_nothing_leaks(void **state)
{
    (void)state;
    struct device_setup setup = {.device = 0, .engine = ENGINE_QUEUED};
    struct engine_fixture f;
    devices_list();
    engine_fixture_open_device(&setup, &f);
    struct collide_error err = {0};
    struct engine_lane *lane = NULL;
    const size_t bytes[N_FIXTURE_REGIONS] = {4096, 4096, 4096};
    f.spec.kernels[1] = "absent";
    int n_before = device_n_objects(f.device);
    assert_int_equal(engine_create(ENGINE_QUEUED, &f.spec, &f.engine, &err), COLLIDE_OK);
    assert_int_equal(engine_lane_create(f.engine, bytes, &lane, &err), COLLIDE_DEVICE);
    assert_null(lane);
    assert_non_null(strstr(err.text, "absent"));
    assert_int_equal(device_n_objects(f.device), n_before);
    engine_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_there_after_a_wait),
        cmocka_unit_test(results_are_right_for_many_shapes),
        cmocka_unit_test(an_empty_step_is_left_out),
        cmocka_unit_test(only_what_is_used_is_moved),
        cmocka_unit_test(polling_alone_sees_the_end),
        cmocka_unit_test(an_idle_slot_and_an_empty_batch_are_done),
        cmocka_unit_test(slots_in_flight_keep_their_batches_apart),
        cmocka_unit_test(a_lane_may_be_destroyed_with_work_in_flight),
        cmocka_unit_test(a_wait_means_done_with_many_threads),
        cmocka_unit_test(engines_that_share_memory_are_refused_where_none_is_shared),
        cmocka_unit_test(a_ring_is_refused_where_no_kernel_has_atomics),
        cmocka_unit_test(no_resident_kernel_no_ring),
        cmocka_unit_test(names_of_engines_are_read_back),
        cmocka_unit_test(auto_engine_follows_the_device),
        cmocka_unit_test(a_kernel_that_is_not_there_is_named_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
