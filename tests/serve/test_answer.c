/* Calls that are answered together, each against itself alone. */
#include "base/clock.h"
#include "serve/answer.h"
#include "serve/reading.h"
#include "serve/worker.h"
#include "support/test_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BODY_BYTES = 1024 };

/* Every kind of request, right and wrong, that a crowd may be of. */
static struct service_request nth_request(size_t n, char body[BODY_BYTES])
{
    struct service_request r = {.arrived_ns = clock_now_ns()};
    unsigned a = (unsigned)(n * 7919 % 400), b = (unsigned)(n * 104729 % 400);
    const char *text = "{\"user\": %u, \"items\": [%u, 3, 99999]}";
    switch (n % 9) {
    case 0:
        text = "{\"history\": [%u, 5, 6], \"items\": [%u]}";
        break;
    case 1:
        text = "{\"user\": %u, \"items\": [%u";
        break;
    case 2:
        r.kind = REQUEST_TOPK;
        text = "{\"user\": %u, \"k\": 7, \"exclude\": [%u]}";
        break;
    case 3:
        text = "{\"requests\": [{\"user\": %u, \"items\": [%u]}, {\"user\": 1, \"features\": {\"no\": [1]}, "
               "\"items\": [1]}]}";
        break;
    case 4:
        r.format = FORMAT_OIP;
        text = "{\"inputs\":[{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[%u]},"
               "{\"name\":\"items\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[%u,4]}]}";
        break;
    case 5:
        r.model.name = "none";
        break;
    case 6:
        text = "{\"user\": %u, \"features\": {\"no\": [1]}, \"items\": [%u]}";
        break;
    case 7:
        text = "{\"users\": [%u, 2], \"items\": [%u, 9]}";
        break;
    default:
        break;
    }
    snprintf(body, BODY_BYTES, text, a, b);
    r.body = body;
    r.n_bytes = r.n_json_bytes = strlen(body);
    return r;
}

static void together_each_gets_what_it_gets_alone(void **state)
{
    struct test_service *t = *state;
    static char bodies[CALLS_MAX][BODY_BYTES];
    static struct buffer together[CALLS_MAX], alone[CALLS_MAX];
    static struct observed_request observed[CALLS_MAX];
    static struct service_call calls[CALLS_MAX];
    for (size_t n = 1; n <= CALLS_MAX; n = 2 * n + 1) {
        for (size_t i = 0; i < n; i++) {
            together[i].n_bytes = alone[i].n_bytes = 0;
            observed[i] = (struct observed_request){.work = WORK_OTHER};
            calls[i] = (struct service_call){
                .request = nth_request(n + i, bodies[i]), .reply = &together[i], .observed = &observed[i]};
        }
        service_answer_calls(t->service, 0, calls, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(service_answer(t->service, 1, &calls[i].request, &alone[i]), calls[i].status);
            assert_int_equal(alone[i].n_bytes, together[i].n_bytes);
            assert_memory_equal(alone[i].bytes, together[i].bytes, alone[i].n_bytes);
            assert_true(observed[i].work != WORK_OTHER);
        }
    }
    for (size_t i = 0; i < CALLS_MAX; i++) {
        buffer_free(&together[i]);
        buffer_free(&alone[i]);
    }
}

static void the_late_are_refused_and_the_others_scored(void **state)
{
    struct test_service *t = *state;
    static const char body[] = "{\"user\": 1, \"items\": [1], \"timeout_us\": 100000000}";
    struct buffer replies[3] = {{0}};
    struct observed_request observed[3] = {{.work = WORK_OTHER}};
    struct service_call calls[3];
    for (size_t i = 0; i < 3; i++)
        calls[i] =
            (struct service_call){.request = {.body = body,
                                              .n_bytes = sizeof body - 1,
                                              .arrived_ns = clock_now_ns() - (i == 1 ? 101000000000 : 0)},
                                  .reply = &replies[i],
                                  .observed = &observed[i]};
    service_answer_calls(t->service, 0, calls, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(calls[i].status, i == 1 ? COLLIDE_BUSY : COLLIDE_OK);
        buffer_free(&replies[i]);
    }
}

static enum collide_status read_a_part(struct service_reading *r, struct collide_error *err)
{
    static const char part[] = "{\"user\": 1, \"items\": [1, 2, 3, ";
    size_t n_read;
    return service_read(r, &(struct request_text){part, sizeof part - 1, .is_last = false}, &n_read, err);
}

static void readings_share_a_bound_of_memory(void **state)
{
    struct test_service *t = *state;
    const struct service_request request = {.kind = REQUEST_SCORE};
    struct collide_error err = {0};
    struct service_reading *r[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(service_reading_create(t->service, 0, &request, &r[i], &err), COLLIDE_OK);
    assert_int_equal(read_a_part(r[0], &err), COLLIDE_OK);
    assert_true(r[0]->n_bytes > 0 && atomic_load(&t->service->n_reading_bytes) == r[0]->n_bytes);
    size_t others = SERVICE_READING_BYTES - r[0]->n_bytes;
    atomic_fetch_add(&t->service->n_reading_bytes, others);
    assert_int_equal(read_a_part(r[1], &err), COLLIDE_BUSY);
    service_reading_destroy(r[1]);
    assert_int_equal(atomic_load(&t->service->n_reading_bytes), SERVICE_READING_BYTES);
    atomic_fetch_sub(&t->service->n_reading_bytes, others);
    assert_int_equal(read_a_part(r[2], &err), COLLIDE_OK);
    service_reading_destroy(r[0]);
    service_reading_destroy(r[2]);
    assert_int_equal(atomic_load(&t->service->n_reading_bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together_each_gets_what_it_gets_alone),
        cmocka_unit_test(the_late_are_refused_and_the_others_scored),
        cmocka_unit_test(readings_share_a_bound_of_memory),
    };
    return test_service_has_device()
               ? cmocka_run_group_tests(tests, test_service_setup, test_service_teardown)
               : TEST_SKIPPED;
}
