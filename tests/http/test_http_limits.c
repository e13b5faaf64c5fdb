/* Clients that take too long, and work that has waited too long. */
#include "base/clock.h"
#include "http/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { TRICKLE_US = 20000, PATIENCE_S = 20 };

/* Sends a text over and over, a byte now and then, until the server has had enough. */
static double seconds_until_cut(const struct test_server *s, const char *begin, const char *endless)
{
    struct client c;
    uint64_t start = clock_now_ns();
    client_connect(s, &c);
    client_send_text(&c, begin);
    for (size_t i = 0; clock_seconds_since(start) < PATIENCE_S; i++) {
        char byte;
        if (send(c.fd, &endless[i % strlen(endless)], 1, MSG_NOSIGNAL) < 0)
            break;
        if (recv(c.fd, &byte, 1, MSG_DONTWAIT) == 0)
            break;
        usleep(TRICKLE_US);
    }
    client_close(&c);
    return clock_seconds_since(start);
}

static void clients_that_trickle_are_cut_off(void **state)
{
    static const struct {
        const char *begin, *endless;
    } cases[] = {
        {"", "GET /v1/model"},
        {"GET /v1/model HTTP/1.1\r\nHost: test\r\n", "X: y\r\n"},
        {"POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 9000\r\n\r\n", " "},
        {"POST /v1/nothing HTTP/1.1\r\nHost: test\r\nContent-Length: 9000\r\n\r\n", " "},
        {"POST /v1/score HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"}};
    struct test_server s;
    (void)state;
    test_server_start(&(struct test_server_options){.idle_timeout_s = 1, .request_timeout_s = 1}, &s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(seconds_until_cut(&s, cases[i].begin, cases[i].endless) < PATIENCE_S);
    test_server_stop(&s);
}

enum { N_CLIENTS = 12, MAX_ROUNDS = 10000 };

static const char *const asked[] = {
    "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 25\r\n\r\n{\"user\": 1, \"items\": [1]}",
    "POST /v1/topk HTTP/1.1\r\nHost: test\r\nContent-Length: 19\r\n\r\n{\"user\": 1, \"k\": 1}",
    "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"};
enum { N_ASKED = sizeof asked / sizeof *asked, N_WORK = N_ASKED - 1 };

/* All clients ask at once; counts what is refused, and what is answered. */
static void ask_all(struct client *clients, unsigned *n_refused, unsigned *n_answered)
{
    struct response_text r;
    for (size_t i = 0; i < N_CLIENTS; i++)
        client_send_text(&clients[i], asked[i % N_ASKED]);
    for (size_t i = 0; i < N_CLIENTS; i++) {
        assert_true(client_receive(&clients[i], BODY_FOLLOWS, &r));
        if (r.status == 200) {
            n_answered[i % N_ASKED]++;
            continue;
        }
        assert_error(&r, 503, "overloaded");
        assert_string_equal(header_of(&r, "Retry-After"), "1");
        n_refused[i % N_ASKED]++;
    }
}

static void work_that_has_waited_too_long_is_refused(void **state)
{
    struct test_server s;
    struct client *clients = calloc(N_CLIENTS, sizeof *clients);
    unsigned n_refused[N_ASKED] = {0}, n_answered[N_ASKED] = {0};
    (void)state;
    assert_non_null(clients);
    test_server_start(&(struct test_server_options){.n_threads = 1, .max_queue_us = 1}, &s);
    for (size_t i = 0; i < N_CLIENTS; i++)
        client_connect(&s, &clients[i]);
    for (int round = 0; round < MAX_ROUNDS && (n_refused[0] == 0 || n_refused[1] == 0); round++) {
        unsigned n_before = n_answered[0] + n_answered[1];
        ask_all(clients, n_refused, n_answered);
        assert_true(n_answered[0] + n_answered[1] > n_before); /* the first never waits */
    }
    for (size_t i = 0; i < N_WORK; i++)
        assert_true(n_refused[i] > 0);
    assert_int_equal(n_refused[N_WORK], 0);
    for (size_t i = 0; i < N_CLIENTS; i++)
        client_close(&clients[i]);
    free(clients);
    test_server_stop(&s);
}

static void work_that_nobody_waits_for_is_refused(void **state)
{
    struct test_server s;
    struct response_text r;
    (void)state;
    test_server_start(&(struct test_server_options){.n_threads = 1}, &s);
    ask_once(&s, "POST", "/v1/score", "{\"user\": 1, \"items\": [1], \"timeout_us\": 1}", &r);
    assert_error(&r, 503, "unavailable");
    assert_non_null(strstr(r.body, "longer than its timeout of 1 us"));
    ask_once(&s, "POST", "/v1/topk",
             "{\"requests\": [{\"user\": 1, \"timeout_us\": 60000000}, {\"user\": 1, \"timeout_us\": 1}]}",
             &r);
    assert_error(&r, 503, "unavailable");
    ask_once(&s, "POST", "/v1/score", "{\"user\": 1, \"items\": [1], \"timeout_us\": 60000000}", &r);
    assert_int_equal(r.status, 200);
    ask_once(&s, "POST", "/v1/score", "{\"user\": 1, \"items\": [1], \"timeout_us\": 0}", &r);
    assert_error(&r, 400, "bad_request");
    test_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_that_trickle_are_cut_off),
        cmocka_unit_test(work_that_has_waited_too_long_is_refused),
        cmocka_unit_test(work_that_nobody_waits_for_is_refused),
    };
    return RUN_SERVER_TESTS(tests);
}
