#include "engine_fixture.h"

#include "base/clock.h"
#include "base/rng.h"
#include "device/ring_memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_NUMBERS = 8, N_DESCRIPTORS = 1024 };

static void on_every_ring(void (*body)(struct engine_fixture *f))
{
    engine_fixture_each_of(ENGINE_RING, body);
}

/* A ring engine in place of the fixture's own. */
static void remake(struct engine_fixture *f, const char *ring_kernel, struct ring_options options)
{
    struct collide_error err = {0};
    engine_destroy(f->engine);
    f->engine = NULL;
    f->spec.ring_kernel = ring_kernel;
    f->spec.ring = options;
    if (engine_create(ENGINE_RING, &f->spec, &f->engine, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static void run_rounds(struct engine_lane *lane, uint32_t n_rounds)
{
    for (uint32_t round = 0; round < n_rounds; round++) {
        unsigned slot = round % engine_lane_n_slots(lane);
        engine_fixture_submit(lane, slot, round % N_FIXTURE_WORKS, N_NUMBERS, round);
        engine_fixture_wait(lane, slot);
        assert_int_equal(engine_fixture_n_wrong(lane, slot, round % N_FIXTURE_WORKS, N_NUMBERS, round), 0);
    }
}

static void run_past_the_end(struct engine_fixture *f)
{
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    run_rounds(lane, 5 * N_DESCRIPTORS + 3);
    engine_lane_destroy(lane);
}

static void the_ring_wraps_around(void **state)
{
    (void)state;
    on_every_ring(run_past_the_end);
}

/* More work at once than the ring has descriptors: submitting waits for room. */
static void fill_the_ring(struct engine_fixture *f)
{
    enum { N_LANES = N_DESCRIPTORS / 2 + 100 };
    static struct engine_lane *lanes[N_LANES];
    for (uint32_t i = 0; i < N_LANES; i++)
        lanes[i] = engine_fixture_lane(f, N_NUMBERS);
    for (uint32_t i = 0; i < N_LANES; i++)
        for (unsigned slot = 0; slot < 2; slot++)
            engine_fixture_submit(lanes[i], slot, WORK_CHURN, N_NUMBERS, 2 * i + slot);
    for (uint32_t i = 0; i < N_LANES; i++) {
        for (unsigned slot = 0; slot < 2; slot++) {
            engine_fixture_wait(lanes[i], slot);
            assert_int_equal(engine_fixture_n_wrong(lanes[i], slot, WORK_CHURN, N_NUMBERS, 2 * i + slot), 0);
        }
        engine_lane_destroy(lanes[i]);
    }
}

static void a_full_ring_makes_producers_wait(void **state)
{
    (void)state;
    on_every_ring(fill_the_ring);
}

static void pause_ms(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
}

static void return_often(struct engine_fixture *f)
{
    remake(f, "resident", (struct ring_options){.max_idle_polls = 1});
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    for (int i = 0; i < 5; i++) {
        run_rounds(lane, 200);
        pause_ms(2);
    }
    engine_lane_destroy(lane);
}

static void an_idle_kernel_returns_and_is_launched_again(void **state)
{
    (void)state;
    on_every_ring(return_often);
}

static void stop_idle(struct engine_fixture *f)
{
    remake(f, "resident", (struct ring_options){.max_idle_polls = UINT32_MAX});
    pause_ms(20);
    uint64_t start_ns = clock_now_ns();
    engine_destroy(f->engine);
    f->engine = NULL;
    assert_true(clock_seconds_since(start_ns) <
                1.0); /* the watchdog, which would leave it behind, takes 5 s */
}

static void an_idle_ring_stops_at_once(void **state)
{
    (void)state;
    on_every_ring(stop_idle);
}

/* ---- Several threads. */

struct worker {
    struct engine *engine;
    uint32_t number;
    size_t n_failed;
    size_t n_wrong;
};

static struct engine_lane *create_lane(struct worker *w)
{
    const size_t bytes[N_FIXTURE_REGIONS] = {N_NUMBERS * 4 + w->number * 100, N_NUMBERS * 4, N_NUMBERS * 4};
    struct engine_lane *lane = NULL;
    w->n_failed += engine_lane_create(w->engine, bytes, &lane, NULL) != COLLIDE_OK;
    return lane;
}

/* All slots in flight; a lane lives for some rounds. */
static void *come_and_go(void *argument)
{
    enum { N_LANES = 40, N_ROUNDS = 60 };
    struct worker *w = argument;
    for (uint32_t i = 0; i < N_LANES; i++) {
        struct engine_lane *lane = create_lane(w);
        for (uint32_t round = 0; lane && round < N_ROUNDS; round++) {
            uint32_t seed = (w->number << 24) + i * N_ROUNDS + round;
            unsigned n_slots = engine_lane_n_slots(lane);
            for (unsigned slot = 0; slot < n_slots; slot++)
                engine_fixture_submit(lane, slot, (round + slot) % N_FIXTURE_WORKS, N_NUMBERS, seed + slot);
            for (unsigned slot = 0; slot < n_slots; slot++) {
                w->n_failed += engine_wait(lane, slot, NULL) != COLLIDE_OK;
                w->n_wrong += engine_fixture_n_wrong(lane, slot, (round + slot) % N_FIXTURE_WORKS, N_NUMBERS,
                                                     seed + slot);
            }
        }
        engine_lane_destroy(lane);
    }
    return NULL;
}

/* Four threads; the odd ones use `second`. */
static void run_workers(struct engine *first, struct engine *second)
{
    enum { N_THREADS = 4 };
    struct worker workers[N_THREADS];
    pthread_t threads[N_THREADS];
    for (uint32_t i = 0; i < N_THREADS; i++) {
        workers[i] = (struct worker){.engine = i % 2 ? second : first, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &workers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].n_failed, 0);
        assert_int_equal(workers[i].n_wrong, 0);
    }
}

static void run_workers_on_one(struct engine_fixture *f)
{
    run_workers(f->engine, f->engine);
}

static void lanes_come_and_go_while_others_work(void **state)
{
    (void)state;
    on_every_ring(run_workers_on_one);
}

/* A kernel that is launched again all the time, since launches are where the two could get into each other's
 * way. */
static void run_workers_on_two(struct engine_fixture *f)
{
    struct collide_error err = {0};
    struct engine *direct;
    remake(f, "resident", (struct ring_options){.max_idle_polls = 1});
    if (engine_create(ENGINE_DIRECT, &f->spec, &direct, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    run_workers(f->engine, direct);
    engine_destroy(direct);
}

static void other_engines_work_beside_a_ring(void **state)
{
    (void)state;
    on_every_ring(run_workers_on_two);
}

/* ---- Kernels that do not answer. */

enum { WATCHDOG_MS = 200 };

/* One word of work that keeps resident_stuck from going on for as long as it is not 0. */
static uint32_t *submit_word(struct engine_lane *lane, unsigned slot)
{
    const struct engine_work work = {.steps = {{0, 1}}, .n_steps = 1, .used_bytes = {4, 4, 4}};
    struct collide_error err = {0};
    uint32_t *word = engine_lane_region(lane, slot, REGION_INPUT);
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    if (engine_submit(lane, slot, &work, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return word;
}

/* Whoever waits is told, whoever submits later fails at once. The word stays set. */
static uint32_t *get_stuck(struct engine_fixture *f, struct engine_lane **out)
{
    const struct engine_work work = {.steps = {{0, 1}}, .n_steps = 1, .used_bytes = {4, 4, 4}};
    struct collide_error err = {0}, later = {0};
    remake(f, "resident_stuck", (struct ring_options){.watchdog_ms = WATCHDOG_MS});
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    uint32_t *word = submit_word(lane, 0);
    uint64_t start_ns = clock_now_ns();
    assert_int_equal(engine_wait(lane, 0, &err), COLLIDE_DEVICE);
    assert_non_null(strstr(err.text, "stopped answering"));
    assert_true(clock_seconds_since(start_ns) >= WATCHDOG_MS * 1e-3);
    assert_true(clock_seconds_since(start_ns) < WATCHDOG_MS * 1e-3 + 5);
    assert_int_equal(engine_submit(lane, 1, &work, &later), COLLIDE_DEVICE);
    assert_string_equal(later.text, err.text);
    assert_int_equal(engine_submit(lane, 0, &work, &later), COLLIDE_DEVICE);
    *out = lane;
    return word;
}

static void recover(struct engine_fixture *f)
{
    struct engine_lane *lane;
    uint32_t *word = get_stuck(f, &lane);
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
    engine_lane_destroy(lane);
    remake(f, "resident", (struct ring_options){0});
    lane = engine_fixture_lane(f, N_NUMBERS);
    run_rounds(lane, 10);
    engine_lane_destroy(lane);
}

static void a_stuck_kernel_is_an_error_and_a_new_engine_works(void **state)
{
    (void)state;
    on_every_ring(recover);
}

static void poll_a_stuck_one(struct engine_fixture *f)
{
    struct collide_error err = {0};
    remake(f, "resident_stuck", (struct ring_options){.watchdog_ms = WATCHDOG_MS});
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    uint32_t *word = submit_word(lane, 0);
    uint64_t give_up_ns = clock_now_ns() + 20000000000u;
    enum collide_status status = COLLIDE_OK;
    for (bool done = false; !done && clock_now_ns() < give_up_ns; pause_ms(1))
        status = engine_poll(lane, 0, &done, &err);
    assert_int_equal(status, COLLIDE_DEVICE);
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
    engine_lane_destroy(lane);
}

static void who_only_polls_is_told_too(void **state)
{
    (void)state;
    on_every_ring(poll_a_stuck_one);
}

/* The word is in memory of the ring, which lives for as long as the kernel does. */
static void leave_behind(struct engine_fixture *f)
{
    struct engine_lane *lane;
    uint32_t *word = get_stuck(f, &lane);
    uint64_t start_ns = clock_now_ns();
    engine_lane_destroy(lane);
    engine_destroy(f->engine);
    f->engine = NULL;
    assert_true(clock_seconds_since(start_ns) < WATCHDOG_MS * 1e-3 + 5);
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
    pause_ms(100); /* for it to end while its device lives; nothing needs it to */
}

static void destroying_a_stuck_ring_leaves_it_behind(void **state)
{
    (void)state;
    on_every_ring(leave_behind);
}

/* A count of owners, as that of whatever the tables lie in. */
static void count_up(void *count)
{
    __atomic_fetch_add((unsigned *)count, 1, __ATOMIC_RELAXED);
}

static void count_down(void *count)
{
    __atomic_fetch_sub((unsigned *)count, 1, __ATOMIC_RELEASE);
}

static void own_tables(struct engine_fixture *f)
{
    static unsigned n_owners;
    struct engine_lane *lane;
    n_owners = 1;
    f->spec.tables_owner = (struct shared){&n_owners, count_up, count_down};
    uint32_t *word = get_stuck(f, &lane);
    engine_lane_destroy(lane);
    engine_destroy(f->engine);
    f->engine = NULL;
    assert_int_equal(__atomic_load_n(&n_owners, __ATOMIC_ACQUIRE), 2);
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
    uint64_t give_up_ns = clock_now_ns() + 20000000000u;
    while (__atomic_load_n(&n_owners, __ATOMIC_ACQUIRE) > 1 && clock_now_ns() < give_up_ns)
        pause_ms(1);
    assert_int_equal(__atomic_load_n(&n_owners, __ATOMIC_ACQUIRE), 1);
    remake(f, "resident", (struct ring_options){0});
    assert_int_equal(__atomic_load_n(&n_owners, __ATOMIC_ACQUIRE), 2);
    engine_destroy(f->engine);
    f->engine = NULL;
    assert_int_equal(__atomic_load_n(&n_owners, __ATOMIC_ACQUIRE), 1);
}

static void what_a_kernel_reads_is_owned_until_it_has_returned(void **state)
{
    (void)state;
    on_every_ring(own_tables);
}

/* One group takes several times the watchdog's patience. */
static void work_slowly(struct engine_fixture *f)
{
    struct collide_error err = {0};
    const struct engine_work work = {.steps = {{0, 1}}, .n_steps = 1, .used_bytes = {4, 4, 4}};
    remake(f, "resident_slow", (struct ring_options){.watchdog_ms = WATCHDOG_MS});
    struct engine_lane *lane = engine_fixture_lane(f, N_NUMBERS);
    __atomic_store_n((uint32_t *)engine_lane_region(lane, 0, REGION_INPUT), 1, __ATOMIC_RELEASE);
    assert_int_equal(engine_submit(lane, 0, &work, &err), COLLIDE_OK);
    for (uint64_t start_ns = clock_now_ns(); clock_seconds_since(start_ns) < 5 * WATCHDOG_MS * 1e-3;) {
        bool done = false;
        if (engine_poll(lane, 0, &done, &err) != COLLIDE_OK)
            fail_msg("%s", err.text);
        assert_false(done);
        pause_ms(1);
    }
    __atomic_store_n((uint32_t *)engine_lane_region(lane, 0, REGION_INPUT), 0, __ATOMIC_RELEASE);
    engine_fixture_wait(lane, 0);
    engine_lane_destroy(lane);
}

static void long_work_that_beats_is_waited_for(void **state)
{
    (void)state;
    on_every_ring(work_slowly);
}

static void start_silent(struct engine_fixture *f)
{
    struct collide_error err = {0};
    struct engine *engine = NULL;
    int n_before = device_n_objects(f->device);
    f->spec.ring_kernel = "resident_silent";
    f->spec.ring.watchdog_ms = 100;
    assert_int_equal(engine_create(ENGINE_RING, &f->spec, &engine, &err), COLLIDE_DEVICE);
    assert_null(engine);
    assert_non_null(strstr(err.text, "did not start"));
    assert_int_equal(device_n_objects(f->device), n_before);
}

static void a_kernel_that_never_polls_is_refused(void **state)
{
    (void)state;
    on_every_ring(start_silent);
}

/* A kernel with more arguments than a resident one has: its launch fails. */
static void launch_unset(struct engine_fixture *f)
{
    struct collide_error err = {0};
    struct engine *engine = NULL;
    f->spec.ring_kernel = "multiply";
    assert_int_equal(engine_create(ENGINE_RING, &f->spec, &engine, &err), COLLIDE_DEVICE);
    assert_null(engine);
    assert_non_null(strstr(err.text, "CL_INVALID_KERNEL_ARGS"));
}

static void a_failed_launch_is_told_in_the_drivers_words(void **state)
{
    (void)state;
    on_every_ring(launch_unset);
}

static void name_absent(struct engine_fixture *f)
{
    struct collide_error err = {0};
    struct engine *engine = NULL;
    int n_before = device_n_objects(f->device);
    f->spec.ring_kernel = "absent";
    assert_int_equal(engine_create(ENGINE_RING, &f->spec, &engine, &err), COLLIDE_DEVICE);
    assert_null(engine);
    assert_non_null(strstr(err.text, "absent"));
    assert_int_equal(device_n_objects(f->device), n_before);
}

static void an_absent_resident_kernel_is_named(void **state)
{
    (void)state;
    on_every_ring(name_absent);
}

/* ---- Memory. */

static void ask_for_too_much(struct engine_fixture *f)
{
    const size_t fits[] = {1 << 17, 1 << 10, 1 << 10}, huge[] = {SIZE_MAX, 1, 1},
                 half[] = {SIZE_MAX / 2, 1, 1};
    struct collide_error err = {0};
    struct engine_lane *lanes[8] = {NULL};
    size_t n = 0;
    remake(f, "resident", (struct ring_options){.memory_bytes = 1 << 20});
    while (n < 8 && engine_lane_create(f->engine, fits, &lanes[n], &err) == COLLIDE_OK)
        n++;
    assert_int_equal(n, 3); /* two slots of somewhat more than 2^17 bytes in each */
    assert_int_equal(err.status, COLLIDE_NO_MEMORY);
    assert_non_null(strstr(err.text, "fewer threads"));
    engine_lane_destroy(lanes[1]);
    assert_int_equal(engine_lane_create(f->engine, fits, &lanes[1], &err), COLLIDE_OK);
    assert_int_not_equal(engine_lane_create(f->engine, huge, &lanes[3], &err), COLLIDE_OK);
    assert_int_not_equal(engine_lane_create(f->engine, half, &lanes[3], &err), COLLIDE_OK);
    for (size_t i = 0; i < n; i++)
        engine_lane_destroy(lanes[i]);
}

static void a_ring_without_room_says_so(void **state)
{
    (void)state;
    on_every_ring(ask_for_too_much);
}

/* Of this process, resident. */
static size_t memory_used_bytes(void)
{
    size_t n_pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %zu", &n_pages), 1);
    fclose(file);
    return n_pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Top-k over millions of rows, in many lanes: of which only what is written takes memory. */
static void take_much_room(struct engine_fixture *f)
{
    enum { N_LANES = 50 };
    const size_t bytes[N_FIXTURE_REGIONS] = {1 << 20, 1 << 20, 1 << 20};
    struct engine_lane *lanes[N_LANES];
    struct collide_error err = {0};
    engine_destroy(f->engine);
    f->engine = NULL;
    size_t before_bytes = memory_used_bytes();
    remake(f, "resident", (struct ring_options){0});
    for (int i = 0; i < N_LANES; i++)
        if (engine_lane_create(f->engine, bytes, &lanes[i], &err) != COLLIDE_OK)
            fail_msg("%s", err.text);
#ifdef __SANITIZE_ADDRESS__
    before_bytes += (size_t)1 << 30; /* its notes on every byte */
#endif
    assert_true(memory_used_bytes() < before_bytes + (16 << 20));
    for (int i = 0; i < N_LANES; i++)
        engine_lane_destroy(lanes[i]);
}

static void room_that_is_not_used_takes_no_memory(void **state)
{
    (void)state;
    on_every_ring(take_much_room);
}

/* Ranges, each marked with its owner in a map of units. */
static void ranges_never_overlap_and_become_one_again(void **state)
{
    (void)state;
    enum { N_UNITS = 400, N_OWNERS = 40, N_ROUNDS = 20000 };
    struct ring_memory *m = ring_memory_create(N_UNITS * RING_MEMORY_ALIGN);
    struct rng rng = rng_seeded(5, 0);
    struct {
        size_t at, n;
    } owned[N_OWNERS] = {0};
    bool used[N_UNITS] = {false};
    size_t all;
    assert_non_null(m);
    for (int round = 0; round < N_ROUNDS; round++) {
        size_t o = rng_below(&rng, N_OWNERS), n = 1 + rng_below(&rng, 30), at;
        if (owned[o].n) {
            ring_memory_release(m, owned[o].at * RING_MEMORY_ALIGN);
            memset(used + owned[o].at, 0, owned[o].n);
            owned[o].n = 0;
        } else if (ring_memory_carve(m, n * RING_MEMORY_ALIGN - 5, &at)) {
            assert_int_equal(at % RING_MEMORY_ALIGN, 0);
            owned[o].at = at / RING_MEMORY_ALIGN;
            owned[o].n = n;
            assert_true(owned[o].at + n <= N_UNITS);
            for (size_t i = 0; i < n; i++) {
                assert_false(used[owned[o].at + i]);
                used[owned[o].at + i] = true;
            }
        }
    }
    for (size_t o = 0; o < N_OWNERS; o++)
        if (owned[o].n)
            ring_memory_release(m, owned[o].at * RING_MEMORY_ALIGN);
    assert_false(ring_memory_carve(m, N_UNITS * RING_MEMORY_ALIGN + 1, &all));
    assert_true(ring_memory_carve(m, N_UNITS * RING_MEMORY_ALIGN, &all));
    assert_int_equal(all, 0);
    ring_memory_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_never_overlap_and_become_one_again),
        cmocka_unit_test(the_ring_wraps_around),
        cmocka_unit_test(a_full_ring_makes_producers_wait),
        cmocka_unit_test(an_idle_kernel_returns_and_is_launched_again),
        cmocka_unit_test(an_idle_ring_stops_at_once),
        cmocka_unit_test(lanes_come_and_go_while_others_work),
        cmocka_unit_test(other_engines_work_beside_a_ring),
        cmocka_unit_test(a_stuck_kernel_is_an_error_and_a_new_engine_works),
        cmocka_unit_test(who_only_polls_is_told_too),
        cmocka_unit_test(destroying_a_stuck_ring_leaves_it_behind),
        cmocka_unit_test(what_a_kernel_reads_is_owned_until_it_has_returned),
        cmocka_unit_test(long_work_that_beats_is_waited_for),
        cmocka_unit_test(a_kernel_that_never_polls_is_refused),
        cmocka_unit_test(a_failed_launch_is_told_in_the_drivers_words),
        cmocka_unit_test(an_absent_resident_kernel_is_named),
        cmocka_unit_test(a_ring_without_room_says_so),
        cmocka_unit_test(room_that_is_not_used_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
