/* /v2, byte for byte: requests as clients of the Open Inference Protocol send them. */
#include "http/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 3 };
static const uint64_t user = 7, items[N_ITEMS] = {3, 5, 499};

#define MODEL "/v2/models/tiny.model"

static const char json_request[] =
    "{\"id\":\"42\",\"inputs\":[{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[7]},"
    "{\"name\":\"items\",\"shape\":[3],\"datatype\":\"INT64\",\"data\":[3,5,499]}]}";

static void true_scores(const struct test_server *s, float scores[N_ITEMS])
{
    struct collide_error err = {0};
    const struct collide_query query = {.user = &(struct collide_id){.number = user},
                                        .item_numbers = items,
                                        .n_items = N_ITEMS,
                                        .number_bytes = 8};
    if (collide_score(s->service.lane, &query, 1, scores, NULL, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static void scores_come_as_json(void **state)
{
    static const char begin[] =
        "{\"model_name\":\"tiny.model\",\"model_version\":\"1\",\"id\":\"42\",\"parameters\":{\"unknown\":0},"
        "\"outputs\":[{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[3],\"data\":[";
    static const char *const paths[] = {MODEL "/infer", MODEL "/versions/1/infer"};
    float scores[N_ITEMS];
    true_scores(*state, scores);
    for (size_t i = 0; i < 2; i++) {
        struct response_text r;
        ask_once(*state, "POST", paths[i], json_request, &r);
        assert_int_equal(r.status, 200);
        assert_string_equal(header_of(&r, "Content-Type"), "application/json");
        assert_null(header_of(&r, "Inference-Header-Content-Length"));
        assert_memory_equal(r.body, begin, sizeof begin - 1);
        char *at = r.body + sizeof begin - 1;
        for (size_t k = 0; k < N_ITEMS; k++, at++)
            assert_true(strtof(at, &at) == scores[k]);
        assert_memory_equal(at - 1, "]}]}\n", 5);
    }
}

/* What tritonclient sends: nothing but its JSON's length says that tensors follow. */
static void binary_tensors_go_both_ways(void **state)
{
    static const char request_json[] = "{\"inputs\":[{\"name\":\"user\",\"shape\":[1,1],\"datatype\":"
                                       "\"INT64\",\"parameters\":{\"binary_data_size\":8}},"
                                       "{\"name\":\"items\",\"shape\":[1,3],\"datatype\":\"INT64\","
                                       "\"parameters\":{\"binary_data_size\":24}}],"
                                       "\"parameters\":{\"binary_data_output\":true}}";
    static const char reply_json[] =
        "{\"model_name\":\"tiny.model\",\"model_version\":\"1\",\"parameters\":{\"unknown\":0},"
        "\"outputs\":[{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[1,3],"
        "\"parameters\":{\"binary_data_size\":12}}]}";
    struct response_text r;
    struct client c;
    float scores[N_ITEMS];
    char head[256], length[16];
    true_scores(*state, scores);
    client_connect(*state, &c);
    snprintf(head, sizeof head,
             "POST " MODEL "/infer HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n"
             "Inference-Header-Content-Length: %zu\r\n\r\n",
             sizeof request_json - 1 + 32, sizeof request_json - 1);
    client_send_text(&c, head);
    client_send(&c, request_json, sizeof request_json - 1);
    client_send(&c, (const char *)&user, sizeof user);
    client_send(&c, (const char *)items, sizeof items);
    assert_true(client_receive(&c, BODY_FOLLOWS, &r));
    client_close(&c);
    assert_int_equal(r.status, 200);
    assert_string_equal(header_of(&r, "Content-Type"), "application/octet-stream");
    snprintf(length, sizeof length, "%zu", sizeof reply_json - 1);
    assert_string_equal(header_of(&r, "Inference-Header-Content-Length"), length);
    assert_int_equal(r.n_body, sizeof reply_json - 1 + sizeof scores);
    assert_memory_equal(r.body, reply_json, sizeof reply_json - 1);
    assert_memory_equal(r.body + sizeof reply_json - 1, scores, sizeof scores);
}

static void ask_with_header(const struct test_server *s, const char *header, struct response_text *out)
{
    struct client c;
    char text[1024];
    client_connect(s, &c);
    snprintf(text, sizeof text,
             "POST " MODEL "/infer HTTP/1.1\r\nHost: test\r\n%s\r\nContent-Length: %zu\r\n\r\n%s", header,
             sizeof json_request - 1, json_request);
    client_send_text(&c, text);
    assert_true(client_receive(&c, BODY_FOLLOWS, out));
    client_close(&c);
}

static void headers_that_are_wrong_are_refused(void **state)
{
    static const struct {
        const char *header;
        unsigned status;
    } cases[] = {{"Inference-Header-Content-Length: x", 400},
                 {"Inference-Header-Content-Length: -1", 400},
                 {"Inference-Header-Content-Length: 10000", 400},
                 {"Inference-Header-Content-Length: 10", 400},
                 {"Content-Encoding: gzip", 415},
                 {"Content-Encoding: identity", 200},
                 {"Content-Type: application/octet-stream", 200}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct response_text r;
        ask_with_header(*state, cases[i].header, &r);
        if (r.status != cases[i].status)
            fail_msg("%s: %u %s", cases[i].header, r.status, r.body);
    }
}

static void errors_are_the_protocols(void **state)
{
    static const struct {
        const char *method, *path, *body;
        unsigned status;
        const char *error;
    } cases[] = {
        {"GET", "/v2/score", NULL, 404, "{\"error\":\"no such path; docs/HTTP.md lists those there are\"}\n"},
        {"GET", "/v2/models/nobody", NULL, 404, "{\"error\":\"there is no model \\\"nobody\\\"\"}\n"},
        {"GET", "/v2/models/tiny.model/versions/2/ready", NULL, 404,
         "{\"error\":\"the model tiny.model has no version \\\"2\\\"\"}\n"},
        {"GET", MODEL "/infer", NULL, 405, "{\"error\":\"this path takes POST\"}\n"},
        {"POST", MODEL "/infer", "[]", 400,
         "{\"error\":\"the request must be a JSON object with \\\"inputs\\\"\"}\n"},
        {"POST", "/v2/models/nobody/infer", "[]", 404, "{\"error\":\"there is no model \\\"nobody\\\"\"}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct response_text r;
        ask_once(*state, cases[i].method, cases[i].path, cases[i].body, &r);
        assert_int_equal(r.status, cases[i].status);
        assert_string_equal(r.body, cases[i].error);
        assert_string_equal(header_of(&r, "Content-Type"), "application/json");
    }
}

/* Names of one request are not the next one's, over one connection. */
static void descriptions_are_of_the_model_named(void **state)
{
    static const struct {
        const char *path, *begins;
    } cases[] = {
        {"/v2", "{\"name\":\"collide\",\"version\":\""},
        {"/v2/health/live", "{\"live\":true}"},
        {"/v2/health/ready", "{\"ready\":true}"},
        {MODEL "/versions/1", "{\"name\":\"tiny.model\",\"versions\":[\"1\"],"},
        {MODEL, "{\"name\":\"tiny.model\",\"versions\":[\"1\"],\"platform\":\"collide\",\"inputs\":["},
        {MODEL "/ready", "{\"name\":\"tiny.model\",\"ready\":true}"},
        {MODEL "/versions/1/ready", "{\"name\":\"tiny.model\",\"ready\":true}"},
        {MODEL "/config", "{\"name\":\"tiny.model\",\"platform\":\"collide\","},
        {MODEL "/versions/1/config", "{\"name\":\"tiny.model\",\"platform\":\"collide\","}};
    struct client c;
    client_connect(*state, &c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct response_text r;
        client_ask(&c, "GET", cases[i].path, NULL, &r);
        assert_int_equal(r.status, 200);
        if (strncmp(r.body, cases[i].begins, strlen(cases[i].begins)) != 0)
            fail_msg("%s: %s", cases[i].path, r.body);
    }
    client_close(&c);
}

static void nothing_is_ready_before_the_model_is(void **state)
{
    (void)state;
    struct test_server s;
    struct response_text r;
    test_server_start(&(struct test_server_options){.is_loading = true}, &s);
    ask_once(&s, "GET", "/v2/health/live", NULL, &r);
    assert_int_equal(r.status, 200);
    ask_once(&s, "GET", "/v2/health/ready", NULL, &r);
    assert_int_equal(r.status, 503);
    assert_string_equal(header_of(&r, "Retry-After"), "1");
    assert_string_equal(r.body, "{\"error\":\"not ready; try again later\"}\n");
    test_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_come_as_json),
        cmocka_unit_test(binary_tensors_go_both_ways),
        cmocka_unit_test(headers_that_are_wrong_are_refused),
        cmocka_unit_test(errors_are_the_protocols),
        cmocka_unit_test(descriptions_are_of_the_model_named),
        cmocka_unit_test(nothing_is_ready_before_the_model_is),
    };
    return RUN_SERVER_TESTS(tests);
}
