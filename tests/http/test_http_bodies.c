/* Bodies: in pieces, chunked, too large, and not what their headers say. */
#include "http/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { N_ITEMS = 20 };

/* A scoring request, to be checked when it is answered. */
struct question {
    uint64_t user, items[N_ITEMS];
    char body[64 + 8 * N_ITEMS];
};

static void make_question(uint64_t seed, struct question *q)
{
    test_service_request(seed, N_ITEMS, &q->user, q->items, q->body);
}

static void check_answer(const struct test_server *s, struct client *c, const struct question *q)
{
    struct response_text r;
    assert_true(client_receive(c, BODY_FOLLOWS, &r));
    assert_int_equal(r.status, 200);
    test_service_check_scores(&s->service, r.body, q->user, q->items, N_ITEMS);
}

static size_t print_request(const struct question *q, char *out, size_t n_bytes)
{
    return (size_t)snprintf(out, n_bytes,
                            "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n%s",
                            strlen(q->body), q->body);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct client c;
    struct question q;
    char text[1024];
    make_question(1, &q);
    size_t n = print_request(&q, text, sizeof text);
    client_connect(*state, &c);
    for (size_t i = 0; i < n; i++)
        client_send(&c, text + i, 1);
    check_answer(*state, &c, &q);
    client_close(&c);
}

static void a_request_may_be_cut_anywhere(void **state)
{
    struct client c;
    client_connect(*state, &c);
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct question q;
        char text[1024];
        make_question(seed, &q);
        size_t n = print_request(&q, text, sizeof text), cut = seed * n / 100;
        client_send(&c, text, cut);
        client_send(&c, text + cut, n - cut);
        check_answer(*state, &c, &q);
    }
    client_close(&c);
}

static void a_body_may_be_chunked(void **state)
{
    struct client c;
    client_connect(*state, &c);
    for (size_t step = 1; step < 200; step += 13) {
        struct question q;
        char piece[512];
        make_question(step, &q);
        client_send_text(&c, "POST /v1/score HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (size_t at = 0; at < strlen(q.body); at += step) {
            size_t left = strlen(q.body + at), n = left < step ? left : step;
            snprintf(piece, sizeof piece, "%zx\r\n%.*s\r\n", n, (int)n, q.body + at);
            client_send_text(&c, piece);
        }
        client_send_text(&c, "0\r\n\r\n");
        check_answer(*state, &c, &q);
    }
    client_close(&c);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    enum { N = 50 };
    static struct question questions[N];
    struct client c;
    client_connect(*state, &c);
    for (uint64_t i = 0; i < N; i++) {
        char text[1024];
        make_question(i, &questions[i]);
        client_send(&c, text, print_request(&questions[i], text, sizeof text));
    }
    for (size_t i = 0; i < N; i++)
        check_answer(*state, &c, &questions[i]);
    client_close(&c);
}

/* A JSON request of n bytes, blanks for the most part. Returns owned. */
static char *make_padded(size_t n)
{
    static const char begin[] = "{\"user\": 1, \"items\": [1]";
    char *text = malloc(n + 1);
    assert_non_null(text);
    memset(text, ' ', n);
    memcpy(text, begin, sizeof begin - 1);
    text[n - 1] = '}';
    text[n] = '\0';
    return text;
}

static void bodies_up_to_the_limit_are_read_and_no_further(void **state)
{
    struct client c;
    struct response_text r;
    client_connect(*state, &c);
    for (size_t n = TEST_MAX_BODY - 1; n <= TEST_MAX_BODY + 2; n++) {
        char *body = make_padded(n);
        client_ask(&c, "POST", "/v1/score", body, &r);
        if (n <= TEST_MAX_BODY)
            assert_int_equal(r.status, 200);
        else
            assert_error(&r, 413, "too_large");
        free(body);
    }
    assert_string_equal(
        r.body, "{\"error\":{\"code\":\"too_large\",\"message\":\"the body is larger than the limit of "
                "10000 bytes\"}}\n");
    check_scoring(*state, &c, 1);
    client_close(&c);
}

/* Sends all of it first: the answer must be there to be read even so, and the connection goes on. */
static void a_client_that_sends_all_first_still_reads_413(void **state)
{
    for (int i = 0; i < 20; i++) {
        struct client c;
        struct response_text r;
        size_t n = 7 * TEST_MAX_BODY;
        char *body = make_padded(n);
        client_connect(*state, &c);
        client_ask(&c, "POST", "/v1/score", body, &r);
        assert_error(&r, 413, "too_large");
        check_scoring(*state, &c, 1);
        free(body);
        client_close(&c);
    }
}

static void a_chunked_body_over_the_limit_is_413_too(void **state)
{
    struct client c;
    struct response_text r;
    char chunk[1024 + 16];
    client_connect(*state, &c);
    client_send_text(&c, "POST /v1/score HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    snprintf(chunk, sizeof chunk, "400\r\n%1024s\r\n", "");
    for (int i = 0; i < 2 * TEST_MAX_BODY / 1024; i++)
        client_send_text(&c, chunk);
    client_send_text(&c, "0\r\n\r\n");
    assert_true(client_receive(&c, BODY_FOLLOWS, &r));
    assert_error(&r, 413, "too_large");
    check_scoring(*state, &c, 1);
    client_close(&c);
}

static void an_endless_chunked_body_is_cut_off(void **state)
{
    struct client c;
    char chunk[1024 + 16];
    size_t n_sent = 0;
    client_connect(*state, &c);
    client_send_text(&c, "POST /v1/score HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    snprintf(chunk, sizeof chunk, "400\r\n%1024s\r\n", "");
    while (n_sent < ((size_t)64 << 20) && send(c.fd, chunk, strlen(chunk), MSG_NOSIGNAL) > 0)
        n_sent += 1024;
    assert_in_range(n_sent, TEST_MAX_BODY, (64 << 20) - 1);
    client_close(&c);
}

static void ask_with_length(const struct test_server *s, const char *headers, struct response_text *out,
                            struct client *c)
{
    char text[512];
    client_connect(s, c);
    snprintf(text, sizeof text, "POST /v1/score HTTP/1.1\r\nHost: test\r\n%s\r\n", headers);
    client_send_text(c, text);
    assert_true(client_receive(c, BODY_FOLLOWS, out));
}

static void an_absurd_length_is_answered_before_anything_is_sent(void **state)
{
    static const char *const lengths[] = {"100000000", "9999999999999", "18446744073709551614"};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct client c;
        struct response_text r;
        char headers[128];
        snprintf(headers, sizeof headers, "Content-Length: %s\r\n", lengths[i]);
        ask_with_length(*state, headers, &r, &c);
        assert_error(&r, 413, "too_large");
        assert_string_equal(header_of(&r, "Connection"), "close");
        assert_true(client_sees_close(&c));
        client_close(&c);
    }
}

static void lengths_that_are_no_number_are_turned_away(void **state)
{
    static const char *const lengths[] = {"-1", "x", "1x", "0x10", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct client c;
        struct response_text r;
        char headers[128];
        snprintf(headers, sizeof headers, "Content-Length: %s\r\n", lengths[i]);
        ask_with_length(*state, headers, &r, &c);
        assert_true(r.status == 400 || r.status == 413);
        client_close(&c);
    }
}

static void who_waits_for_100_continue_is_told_at_once(void **state)
{
    struct client c;
    struct response_text r;
    ask_with_length(*state, "Expect: 100-continue\r\nContent-Length: 10001\r\n", &r, &c);
    assert_error(&r, 413, "too_large");
    client_close(&c);
    ask_with_length(*state, "Expect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n", &r,
                    &c);
    assert_error(&r, 415, "unsupported_media_type");
    client_close(&c);
    struct question q;
    char headers[128];
    make_question(1, &q);
    snprintf(headers, sizeof headers, "Expect: 100-continue\r\nContent-Length: %zu\r\n", strlen(q.body));
    ask_with_length(*state, headers, &r, &c);
    assert_int_equal(r.status, 100);
    client_send_text(&c, q.body);
    check_answer(*state, &c, &q);
    client_close(&c);
}

static void a_get_may_have_a_body(void **state)
{
    struct client c;
    struct response_text r;
    client_connect(*state, &c);
    client_ask(&c, "GET", "/healthz", "{\"ignored\": true}", &r);
    assert_int_equal(r.status, 200);
    check_scoring(*state, &c, 1);
    client_close(&c);
}

/* The client goes in the middle of a body, again and again: nothing may be left of it. */
static void clients_that_leave_halfway_leave_nothing_behind(void **state)
{
    for (int i = 0; i < 300; i++) {
        struct client c;
        client_connect(*state, &c);
        client_send_text(&c,
                         "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 5000\r\n\r\n{\"user\":");
        client_close(&c);
    }
    struct client c;
    client_connect(*state, &c);
    check_scoring(*state, &c, 1);
    client_close(&c);
}

/* A request that hides behind one whose body has two ends is never run. */
static void bodies_with_two_ends_are_refused(void **state)
{
    static const char *const framings[] = {"Content-Length: 2\r\nContent-Length: 40\r\n",
                                           "Content-Length: 2\r\nContent-Length: 2\r\n",
                                           "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
                                           "Transfer-Encoding: chunked\r\ncontent-length: 2\r\n",
                                           "Transfer-Encoding: gzip, chunked\r\n",
                                           "Transfer-Encoding: identity\r\n"};
    for (size_t i = 0; i < sizeof framings / sizeof *framings; i++) {
        struct client c;
        struct response_text r;
        char text[512];
        snprintf(
            text, sizeof text,
            "POST /v1/score HTTP/1.1\r\nHost: test\r\n%s\r\n{}GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n",
            framings[i]);
        client_connect(*state, &c);
        client_send_text(&c, text);
        assert_true(client_receive(&c, BODY_FOLLOWS, &r));
        assert_error(&r, 400, "bad_request");
        assert_true(client_sees_close(&c));
        client_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_with_two_ends_are_refused),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(a_request_may_be_cut_anywhere),
        cmocka_unit_test(a_body_may_be_chunked),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(bodies_up_to_the_limit_are_read_and_no_further),
        cmocka_unit_test(a_client_that_sends_all_first_still_reads_413),
        cmocka_unit_test(a_chunked_body_over_the_limit_is_413_too),
        cmocka_unit_test(an_endless_chunked_body_is_cut_off),
        cmocka_unit_test(an_absurd_length_is_answered_before_anything_is_sent),
        cmocka_unit_test(lengths_that_are_no_number_are_turned_away),
        cmocka_unit_test(who_waits_for_100_continue_is_told_at_once),
        cmocka_unit_test(a_get_may_have_a_body),
        cmocka_unit_test(clients_that_leave_halfway_leave_nothing_behind),
    };
    return RUN_SERVER_TESTS(tests);
}
