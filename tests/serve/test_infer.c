/* Inference requests, from a body to a body. */
#include "base/clock.h"
#include "serve/answer.h"
#include "support/test_service.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { WORKER = 1, K = 25 };

#define USERS "{\"name\":\"user\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[3,4]}"

static struct service_request request_of(const char *json)
{
    return (struct service_request){.format = FORMAT_OIP,
                                    .model.name = "tiny.model",
                                    .body = json,
                                    .n_bytes = strlen(json),
                                    .n_json_bytes = strlen(json),
                                    .arrived_ns = clock_now_ns()};
}

static enum collide_status ask(struct test_service *t, const struct service_request *request,
                               struct buffer *out, size_t *n_json_bytes)
{
    out->n_bytes = 0;
    struct observed_request observed = {.work = WORK_OTHER};
    struct service_call call = {.request = *request, .reply = out, .observed = &observed};
    service_answer_calls(t->service, WORKER, &call, 1);
    *n_json_bytes = call.n_json_bytes;
    buffer_append(out, "", 1);
    assert_false(out->failed);
    out->n_bytes--;
    return call.status;
}

/* Binary outputs, so that they can be compared to the last bit. */
static void topk_of_rows_is_the_library_s(void **state)
{
    struct test_service *t = *state;
    struct buffer reply = {0};
    struct collide_id users[] = {collide_id_number(3), collide_id_number(4)};
    struct collide_topk_query queries[2];
    struct collide_hit hits[2 * K];
    size_t n_hits[2], n_json;
    for (size_t i = 0; i < 2; i++)
        queries[i] =
            (struct collide_topk_query){.query.user = &users[i], .k = K, .flags = COLLIDE_TOPK_EXCLUDE_SEEN};
    assert_int_equal(collide_topk(t->lane, queries, 2, hits, n_hits, NULL, NULL), COLLIDE_OK);
    assert_true(n_hits[0] == K && n_hits[1] == K);
    const struct service_request request =
        request_of("{\"inputs\":[" USERS
                   "],\"parameters\":{\"k\":25,\"exclude_seen\":true,\"binary_data_output\":true}}");
    assert_int_equal(ask(t, &request, &reply, &n_json), COLLIDE_OK);
    assert_int_equal(reply.n_bytes, n_json + 2 * K * (4 + 8) + 2 * 4);
    const char *scores = reply.bytes + n_json, *items = scores + sizeof(float[2 * K]);
    for (size_t i = 0; i < 2 * K; i++) {
        assert_memory_equal(scores + i * sizeof(float), &hits[i].score, sizeof(float));
        assert_memory_equal(items + i * sizeof(uint64_t), &hits[i].item.number, sizeof(uint64_t));
    }
    buffer_free(&reply);
}

static void what_has_waited_too_long_is_not_scored(void **state)
{
    struct buffer reply = {0};
    size_t n_json;
    struct service_request request =
        request_of("{\"inputs\":[" USERS "],\"parameters\":{\"k\":1,\"timeout\":100000000}}");
    assert_int_equal(ask(*state, &request, &reply, &n_json), COLLIDE_OK);
    request.arrived_ns -= 101000000000;
    assert_int_equal(ask(*state, &request, &reply, &n_json), COLLIDE_BUSY);
    assert_string_equal(reply.bytes,
                        "{\"error\":\"the request has waited longer than its timeout of 100000000 us\"}\n");
    buffer_free(&reply);
}

static void other_models_and_versions_are_not_found(void **state)
{
    struct buffer reply = {0};
    size_t n_json;
    struct service_request request = request_of("{}");
    request.model.version = "7";
    assert_int_equal(ask(*state, &request, &reply, &n_json), COLLIDE_NOT_FOUND);
    request.model = (struct model_choice){.name = "nobody"};
    assert_int_equal(ask(*state, &request, &reply, &n_json), COLLIDE_NOT_FOUND);
    assert_non_null(strstr(reply.bytes, "nobody"));
    buffer_free(&reply);
}

/* The model has no features: only it can tell. */
static void features_that_the_model_lacks_are_refused(void **state)
{
    struct buffer reply = {0};
    size_t n_json;
    const struct service_request request =
        request_of("{\"inputs\":[{\"name\":\"features.country\",\"shape\":["
                   "1],\"datatype\":\"BYTES\",\"data\":[\"DE\"]}],"
                   "\"parameters\":{\"k\":1}}");
    assert_int_equal(ask(*state, &request, &reply, &n_json), COLLIDE_INVALID);
    assert_non_null(strstr(reply.bytes, "no feature \\\"country\\\""));
    buffer_free(&reply);
}

/* Nothing is allocated for a request once a worker and its reply are warm. */
static void a_warm_worker_allocates_nothing(void **state)
{
    struct buffer reply = {0};
    size_t n_json, used = 0;
    const struct service_request request =
        request_of("{\"inputs\":[" USERS
                   ",{\"name\":\"items\",\"shape\":[2,2],\"datatype\":\"INT64\",\"data\":[1,2,3,4]}]}");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ask(*state, &request, &reply, &n_json), COLLIDE_OK);
        if (i == 90)
            used = mallinfo2().uordblks;
    }
    assert_int_equal(mallinfo2().uordblks, used);
    buffer_free(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topk_of_rows_is_the_library_s),
        cmocka_unit_test(what_has_waited_too_long_is_not_scored),
        cmocka_unit_test(other_models_and_versions_are_not_found),
        cmocka_unit_test(features_that_the_model_lacks_are_refused),
        cmocka_unit_test(a_warm_worker_allocates_nothing),
    };
    return test_service_has_device()
               ? cmocka_run_group_tests(tests, test_service_setup, test_service_teardown)
               : TEST_SKIPPED;
}
