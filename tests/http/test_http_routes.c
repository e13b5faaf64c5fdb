/* Every route, method, status and header. */
#include "http/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const char score[] = "{\"user\": 1, \"items\": [1, 2, 3]}";
static const char topk[] = "{\"user\": 1, \"k\": 5}";

static void every_route_answers(void **state)
{
    static const struct {
        const char *method, *path, *body, *begins;
    } cases[] = {{"GET", "/healthz", NULL, "{\"status\":\"alive\"}\n"},
                 {"GET", "/readyz", NULL, "{\"status\":\"ready\"}\n"},
                 {"GET", "/v1/model", NULL, "{\"name\":\"tiny.model\","},
                 {"GET", "/v1/model?verbose=1", NULL, "{\"name\":\"tiny.model\","},
                 {"POST", "/v1/score", score, "{\"scores\":["},
                 {"POST", "/v1/topk", topk, "{\"items\":["},
                 {"POST", "/v1/score", "{\"requests\": []}", "{\"responses\":[]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct response_text r;
        ask_once(*state, cases[i].method, cases[i].path, cases[i].body, &r);
        assert_int_equal(r.status, 200);
        assert_int_equal(strncmp(r.body, cases[i].begins, strlen(cases[i].begins)), 0);
        assert_string_equal(header_of(&r, "Content-Type"), "application/json");
        assert_null(header_of(&r, "Retry-After"));
        assert_null(header_of(&r, "Allow"));
    }
}

static void head_is_get_without_the_body(void **state)
{
    static const char *const paths[] = {"/healthz", "/readyz", "/v1/model"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct response_text get, head;
        struct client c;
        client_connect(*state, &c);
        client_ask(&c, "GET", paths[i], NULL, &get);
        client_ask(&c, "HEAD", paths[i], NULL, &head);
        assert_int_equal(head.status, 200);
        char length[32];
        snprintf(length, sizeof length, "%zu", get.n_body);
        assert_string_equal(header_of(&head, "Content-Length"), length);
        client_ask(&c, "GET", paths[i], NULL, &get); /* no byte of a body lies between */
        assert_int_equal(get.status, 200);
        client_close(&c);
    }
}

static void unknown_paths_are_404(void **state)
{
    static const char *const paths[] = {"/v1",       "/v1/",         "/v1/score/", "/v2x",
                                        "/V1/score", "/v1/scores",   "//v1/score", "/healthz/../v1/model",
                                        "/%00",      "/v1/model%00", "/v1%2fmodel"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct response_text r;
        ask_once(*state, "GET", paths[i], NULL, &r);
        assert_error(&r, 404, "not_found");
        ask_once(*state, "POST", paths[i], score, &r);
        assert_error(&r, 404, "not_found");
    }
    struct response_text r;
    ask_once(*state, "GET", "/v1/scor", NULL, &r);
    assert_string_equal(r.body, "{\"error\":{\"code\":\"not_found\",\"message\":\"no such path; docs/HTTP.md "
                                "lists those there are\"}}\n");
}

static void targets_may_name_the_server(void **state)
{
    struct response_text r;
    ask_once(*state, "GET", "http://test/healthz", NULL, &r);
    assert_int_equal(r.status, 200);
    ask_once(*state, "POST", "HTTPS://other:8443/v1/score", score, &r);
    assert_int_equal(r.status, 200);
    ask_once(*state, "GET", "http://test", NULL, &r);
    assert_int_equal(r.status, 200);
    ask_once(*state, "GET", "http://test/nothing", NULL, &r);
    assert_error(&r, 404, "not_found");
}

static void wrong_methods_are_405_with_allow(void **state)
{
    static const struct {
        const char *path, *allow, *methods[6];
    } cases[] = {{"/v1/score", "POST", {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"}},
                 {"/v1/topk", "POST", {"GET", "HEAD", "PUT", "DELETE", "PATCH", "post"}},
                 {"/v1/model", "GET, HEAD", {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"}},
                 {"/healthz", "GET, HEAD", {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "GETS"}},
                 {"/readyz", "GET, HEAD", {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEADER"}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t j = 0; j < 6; j++) {
            struct response_text r;
            ask_once(*state, cases[i].methods[j], cases[i].path,
                     strcmp(cases[i].methods[j], "POST") == 0 ? score : NULL, &r);
            if (strcmp(cases[i].methods[j], "HEAD") == 0)
                assert_int_equal(r.status, 405);
            else
                assert_error(&r, 405, "method_not_allowed");
            assert_string_equal(header_of(&r, "Allow"), cases[i].allow);
        }
}

static void ask_with_type(const struct test_server *s, const char *header, struct response_text *out)
{
    struct client c;
    char text[512];
    client_connect(s, &c);
    snprintf(text, sizeof text, "POST /v1/score HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s",
             header, strlen(score), score);
    client_send_text(&c, text);
    assert_true(client_receive(&c, BODY_FOLLOWS, out));
    client_close(&c);
}

static void bodies_of_another_type_are_415(void **state)
{
    static const char *const taken[] = {"", "Content-Type: application/json\r\n",
                                        "Content-Type: application/json; charset=utf-8\r\n",
                                        "content-type: Application/JSON\r\n"};
    static const char *const refused[] = {"Content-Type: text/plain\r\n",
                                          "Content-Type: application/x-www-form-urlencoded\r\n",
                                          "Content-Type: application/jsonp\r\n", "Content-Type: \r\n",
                                          "Content-Type: application/x-ndjson\r\n"};
    struct response_text r;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        ask_with_type(*state, taken[i], &r);
        assert_int_equal(r.status, 200);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ask_with_type(*state, refused[i], &r);
        assert_error(&r, 415, "unsupported_media_type");
    }
}

static void requests_that_make_no_sense_are_400(void **state)
{
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "{\"user\": 1}",
                                         "{\"usr\": 1, \"items\": [1]}",
                                         "{\"user\": -1, \"items\": []}",
                                         "{\"user\": 1, \"items\": [1]} x"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct response_text r;
        ask_once(*state, "POST", "/v1/score", bodies[i], &r);
        assert_error(&r, 400, "bad_request");
    }
    struct response_text r;
    ask_once(*state, "POST", "/v1/topk", "{\"user\": 1, \"K\": 3}", &r);
    assert_string_equal(r.body, "{\"error\":{\"code\":\"bad_request\",\"message\":\"unknown field \\\"K\\\"; "
                                "did you mean \\\"k\\\"?\"}}\n");
    ask_once(*state, "POST", "/v1/score", NULL, &r);
    assert_error(&r, 400, "bad_request");
}

/* What is not HTTP is libmicrohttpd's to answer; the server must only live on. */
static void what_is_not_http_is_turned_away(void **state)
{
    static const char *const texts[] = {"\r\n\r\n\r\n",
                                        "GET\r\n\r\n",
                                        "\x16\x03\x01\x02\r\n\r\n",
                                        "GET / HTTP/9.9\r\n\r\n",
                                        "GET /healthz HTTP/1.1\r\n: x\r\n\r\n",
                                        "a b c d e\r\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct client c;
        client_connect(*state, &c);
        client_send_text(&c, texts[i]);
        client_close(&c);
    }
    struct client c;
    client_connect(*state, &c);
    client_send_text(&c, "GET /healthz HTTP/1.1\r\nHost: test\r\nX: ");
    for (int i = 0; i < 64; i++) {
        char filler[1024];
        memset(filler, 'x', sizeof filler);
        if (send(c.fd, filler, sizeof filler, MSG_NOSIGNAL) < 0)
            break;
    }
    struct response_text r;
    if (client_receive(&c, BODY_FOLLOWS, &r))
        assert_int_equal(r.status, 431);
    client_close(&c);
    ask_once(*state, "GET", "/healthz", NULL, &r);
    assert_int_equal(r.status, 200);
}

static void a_loading_server_is_alive_but_503(void **state)
{
    (void)state;
    struct test_server s;
    struct response_text r;
    test_server_start(&(struct test_server_options){.is_loading = true}, &s);
    ask_once(&s, "GET", "/healthz", NULL, &r);
    assert_int_equal(r.status, 200);
    static const struct {
        const char *method, *path, *body;
    } cases[] = {{"GET", "/readyz", NULL},
                 {"GET", "/v1/model", NULL},
                 {"POST", "/v1/score", score},
                 {"POST", "/v1/topk", topk}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_once(&s, cases[i].method, cases[i].path, cases[i].body, &r);
        assert_error(&r, 503, "unavailable");
        assert_string_equal(header_of(&r, "Retry-After"), "1");
    }
    test_service_load(&s.service);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_once(&s, cases[i].method, cases[i].path, cases[i].body, &r);
        assert_int_equal(r.status, 200);
    }
    test_server_stop(&s);
}

static void scores_are_the_library_s_to_the_last_bit(void **state)
{
    struct client c;
    client_connect(*state, &c);
    for (uint64_t seed = 0; seed < 200; seed++)
        check_scoring(*state, &c, seed);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_answers),
        cmocka_unit_test(head_is_get_without_the_body),
        cmocka_unit_test(unknown_paths_are_404),
        cmocka_unit_test(targets_may_name_the_server),
        cmocka_unit_test(wrong_methods_are_405_with_allow),
        cmocka_unit_test(bodies_of_another_type_are_415),
        cmocka_unit_test(requests_that_make_no_sense_are_400),
        cmocka_unit_test(what_is_not_http_is_turned_away),
        cmocka_unit_test(a_loading_server_is_alive_but_503),
        cmocka_unit_test(scores_are_the_library_s_to_the_last_bit),
    };
    return RUN_SERVER_TESTS(tests);
}
