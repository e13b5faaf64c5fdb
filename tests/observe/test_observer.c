/* What is kept of requests: which ones, in which order, and that readers never see half of one. */
#include "observe/observer.h"
#include "observe/slow_ring.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct request_record record(uint64_t begin_ns, uint64_t total_ns)
{
    struct request_record r = {.begin_ns = begin_ns, .total_ns = total_ns, .status = 200};
    request_record_set_text(r.method, sizeof r.method, "POST");
    request_record_set_path(&r, "/v1/score?key=secret");
    return r;
}

static void a_record_is_wanted_of_what_takes_too_long_or_is_logged(void **state)
{
    (void)state;
    struct observer *o = NULL;
    const struct observed_answer a = {.status = 200};
    struct observer_options options = {.n_workers = 1, .slow_ns = 1000000};
    assert_int_equal(observer_create(&options, &o, NULL), COLLIDE_OK);
    observer_begin(o, 0, clock_now_ns() - 1000000, clock_now_ns());
    assert_true(observe_answer(o, 0, &a));
    observer_current(o, 0)->times = (struct request_times){.begin_ns = 1, .at_ns = 1000001};
    observer_current(o, 0)->work = WORK_SCORE;
    assert_false(observe_answer(o, 0, &a));
    observer_destroy(o);
    options = (struct observer_options){.n_workers = 1, .access_log = "/dev/null"};
    assert_int_equal(observer_create(&options, &o, NULL), COLLIDE_OK);
    assert_true(observe_answer(o, 0, &a));
    observer_destroy(o);
}

static void slow_requests_come_newest_first_without_their_query(void **state)
{
    (void)state;
    struct observer *o = NULL;
    struct buffer out = {0};
    const struct observer_options options = {.n_workers = 2, .slow_ns = 10000000};
    assert_int_equal(observer_create(&options, &o, NULL), COLLIDE_OK);
    for (unsigned i = 0; i < 2 * SLOW_RING_RECORDS; i++) {
        const struct request_record r = record(1000 + i, 20000000 + i);
        observe_record(o, i % 2, &r);
    }
    const struct request_record quick = record(1, 10);
    observe_record(o, 0, &quick);
    observer_print_slow(o, &out);
    buffer_append(&out, "", 1);
    assert_null(strstr(out.bytes, "secret"));
    cJSON *json = cJSON_Parse(out.bytes);
    assert_non_null(json);
    assert_true(cJSON_GetObjectItem(json, "slow_us")->valuedouble == 10000);
    const cJSON *requests = cJSON_GetObjectItem(json, "requests"), *one;
    assert_int_equal(cJSON_GetArraySize(requests), 2 * SLOW_RING_RECORDS);
    double before = 1e9;
    cJSON_ArrayForEach (one, requests) {
        double total = cJSON_GetObjectItem(one, "total_us")->valuedouble;
        assert_true(total <= before);
        before = total;
        assert_string_equal(cJSON_GetObjectItem(one, "path")->valuestring, "/v1/score");
    }
    cJSON_Delete(json);
    buffer_free(&out);
    observer_destroy(o);
}

static void a_ring_keeps_the_last(void **state)
{
    (void)state;
    static struct slow_ring ring;
    struct request_record out[SLOW_RING_RECORDS];
    assert_int_equal(slow_ring_read(&ring, out), 0);
    for (uint64_t i = 1; i <= SLOW_RING_RECORDS + 10; i++) {
        const struct request_record r = record(i, i);
        slow_ring_put(&ring, &r);
        assert_int_equal(slow_ring_read(&ring, out), i < SLOW_RING_RECORDS ? i : SLOW_RING_RECORDS);
    }
    for (uint64_t i = 0; i < SLOW_RING_RECORDS; i++)
        assert_int_equal(out[i].begin_ns, i + 11);
}

struct writer {
    struct slow_ring ring;
    atomic_bool stop;
};

/* Every word of a record says the same. */
static void *write_records(void *context)
{
    struct writer *w = context;
    for (unsigned i = 0; !atomic_load(&w->stop); i++) {
        struct request_record r;
        memset(&r, (int)(i % 256), sizeof r);
        slow_ring_put(&w->ring, &r);
    }
    return NULL;
}

static void readers_never_see_half_a_record(void **state)
{
    (void)state;
    struct writer *w = calloc(1, sizeof *w);
    struct request_record out[SLOW_RING_RECORDS];
    pthread_t thread;
    size_t n_read = 0;
    assert_int_equal(pthread_create(&thread, NULL, write_records, w), 0);
    for (unsigned round = 0; round < 2000 || n_read == 0; round++) {
        size_t n = slow_ring_read(&w->ring, out);
        n_read += n;
        for (size_t i = 0; i < n; i++) {
            const unsigned char *bytes = (const unsigned char *)&out[i];
            assert_int_equal(memcmp(bytes, bytes + 1, sizeof out[i] - 1), 0);
        }
    }
    atomic_store(&w->stop, true);
    pthread_join(thread, NULL);
    free(w);
}

static void what_comes_together_waits_for_what_is_answered_first(void **state)
{
    (void)state;
    struct observer *o = NULL;
    const struct observer_options options = {.n_workers = 1};
    assert_int_equal(observer_create(&options, &o, NULL), COLLIDE_OK);
    const struct request_times *t = &observer_current(o, 0)->times;
    uint64_t first_ns = observer_begin(o, 0, 1000, 3000), now_ns;
    assert_int_equal(t->begin_ns, 1000);
    assert_int_equal(t->ns[STAGE_READ], first_ns - 1000);
    assert_int_equal(t->ns[STAGE_QUEUE], 0);
    now_ns = observer_begin(o, 0, 1000, 3000);
    assert_int_equal(t->begin_ns, 1000);
    assert_int_equal(t->ns[STAGE_READ], 2000 + now_ns - first_ns);
    assert_int_equal(t->ns[STAGE_QUEUE], first_ns - 3000);
    observer_destroy(o);
}

static void stages_add_up_to_the_total(void **state)
{
    (void)state;
    struct request_times t;
    struct request_record r;
    request_times_begin(&t);
    for (enum stage i = 0; i < N_STAGES; i++) {
        request_times_end(&t, i);
        request_times_end(&t, i);
    }
    request_record_set_times(&r, &t);
    uint64_t sum = 0;
    for (unsigned i = 0; i < N_STAGES; i++)
        sum += r.stage_ns[i];
    assert_int_equal(sum, r.total_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_wanted_of_what_takes_too_long_or_is_logged),
        cmocka_unit_test(slow_requests_come_newest_first_without_their_query),
        cmocka_unit_test(a_ring_keeps_the_last),
        cmocka_unit_test(readers_never_see_half_a_record),
        cmocka_unit_test(what_comes_together_waits_for_what_is_answered_first),
        cmocka_unit_test(stages_add_up_to_the_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
