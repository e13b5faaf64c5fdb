/* Loads and unloads by request: a connection that waits for one holds up no other. */
#include "http/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LOAD   "/v2/repository/models/tiny.model/load"
#define UNLOAD "/v2/repository/models/tiny.model/unload"

static const char request[] = "{\"user\": 1, \"items\": [1, 2, 3]}";

static void start_loading(const struct test_server *s)
{
    struct collide_error err = {0};
    if (loader_start(s->loader, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static void send_order(struct client *c, const char *path)
{
    client_send_text(c, "POST ");
    client_send_text(c, path);
    client_send_text(c, " HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}");
}

static void a_load_lets_other_requests_of_its_thread_pass(void **state)
{
    (void)state;
    enum { N_WAITING = 5 };
    struct test_server s;
    static struct client waiting[N_WAITING];
    struct response_text r;
    test_server_start(&(struct test_server_options){.n_threads = 1}, &s);
    for (size_t i = 0; i < N_WAITING; i++) {
        client_connect(&s, &waiting[i]);
        send_order(&waiting[i], LOAD);
        ask_once(&s, "POST", "/v1/score", request, &r); /* the one thread has seen the order, and goes on */
        assert_int_equal(r.status, 200);
    }
    start_loading(&s);
    for (size_t i = 0; i < N_WAITING; i++) {
        assert_true(client_receive(&waiting[i], BODY_FOLLOWS, &r));
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body, "{}\n");
        client_ask(&waiting[i], "POST", "/v1/score", request, &r); /* the connection is as it was */
        assert_int_equal(r.status, 200);
        client_close(&waiting[i]);
    }
    test_server_stop(&s);
}

static void what_is_unloaded_is_gone_until_it_is_loaded(void **state)
{
    (void)state;
    struct test_server s;
    struct response_text r;
    test_server_start(&(struct test_server_options){.n_threads = 1}, &s);
    start_loading(&s);
    ask_once(&s, "POST", UNLOAD, "{\"parameters\":{\"unload_dependents\":false}}", &r);
    assert_int_equal(r.status, 200);
    ask_once(&s, "GET", "/v2/models/tiny.model/ready", NULL, &r);
    assert_int_equal(r.status, 404);
    ask_once(&s, "POST", "/v2/repository/index", "", &r);
    assert_string_equal(r.body,
                        "[{\"name\":\"tiny.model\",\"state\":\"UNAVAILABLE\",\"reason\":\"unloaded\"}]\n");
    ask_once(&s, "POST", LOAD, "{}", &r);
    assert_int_equal(r.status, 200);
    ask_once(&s, "GET", "/v2/models/tiny.model/ready", NULL, &r);
    assert_int_equal(r.status, 200);
    test_server_stop(&s);
}

static void a_load_that_fails_says_why(void **state)
{
    (void)state;
    struct test_server s;
    struct response_text r;
    test_server_start(&(struct test_server_options){.n_threads = 1}, &s);
    start_loading(&s);
    ask_once(&s, "POST", "/v2/repository/models/nobody/load", "{}", &r);
    assert_int_equal(r.status, 404);
    assert_string_equal(r.body, "{\"error\":\"there is no model \\\"nobody\\\"\"}\n");
    test_server_stop(&s);
}

/* A request must be answered within a second here; a load takes as long as it takes. */
static void a_long_load_is_waited_for(void **state)
{
    (void)state;
    struct test_server s;
    static struct client waiting;
    struct response_text r;
    test_server_start(&(struct test_server_options){.n_threads = 1, .request_timeout_s = 1}, &s);
    client_connect(&s, &waiting);
    send_order(&waiting, LOAD);
    nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    start_loading(&s);
    assert_true(client_receive(&waiting, BODY_FOLLOWS, &r));
    assert_int_equal(r.status, 200);
    client_close(&waiting);
    test_server_stop(&s);
}

/* A client that leaves while it waits; and a server that stops meanwhile. */
static void waiting_ends_with_the_client_or_the_server(void **state)
{
    (void)state;
    struct test_server s;
    static struct client leaving, staying;
    struct response_text r;
    test_server_start(&(struct test_server_options){.n_threads = 1}, &s);
    client_connect(&s, &leaving);
    client_connect(&s, &staying);
    send_order(&leaving, LOAD);
    send_order(&staying, LOAD);
    ask_once(&s, "GET", "/healthz", NULL, &r);
    client_close(&leaving);
    service_drain(s.service.service);
    loader_stop(s.loader);
    assert_true(client_receive(&staying, BODY_FOLLOWS, &r));
    assert_int_equal(r.status, 503);
    assert_string_equal(header_of(&r, "Retry-After"), "1");
    client_close(&staying);
    ask_once(&s, "POST", LOAD, "{}", &r);
    assert_int_equal(r.status, 503);
    test_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_lets_other_requests_of_its_thread_pass),
        cmocka_unit_test(what_is_unloaded_is_gone_until_it_is_loaded),
        cmocka_unit_test(a_load_that_fails_says_why),
        cmocka_unit_test(a_long_load_is_waited_for),
        cmocka_unit_test(waiting_ends_with_the_client_or_the_server),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
