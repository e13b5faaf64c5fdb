/* Large bodies: read as they come, refused as soon as it shows that they are wrong. */
#include "http/http_fixture.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { N_ITEMS = 20, MAX_BODY = 32 << 20, LARGE = 16 << 20 };

static int streams_setup(void **state)
{
    static struct test_server s;
    test_server_start(&(struct test_server_options){.n_threads = 1, .max_body_bytes = MAX_BODY}, &s);
    *state = &s;
    return 0;
}

struct question {
    uint64_t user, items[N_ITEMS];
    char *body; /* (n), padded; owned */
    size_t n;
};

/* A scoring request of n bytes: what is missing are blanks behind its commas. */
static void make_question(uint64_t seed, size_t n, struct question *q)
{
    char body[64 + 8 * N_ITEMS];
    test_service_request(seed, N_ITEMS, &q->user, q->items, body);
    size_t n_blanks = n - strlen(body), at = 0;
    q->n = n;
    q->body = malloc(n);
    assert_non_null(q->body);
    for (const char *c = body; *c; c++) {
        q->body[at++] = *c;
        size_t here = *c == ',' ? n_blanks / N_ITEMS : 0;
        if (c[1] == '\0')
            break;
        memset(q->body + at, ' ', here);
        at += here;
    }
    q->body[--at] = ' ';
    memset(q->body + at, ' ', n - at);
    q->body[n - 1] = '}';
}

static void send_head(struct client *c, const char *path, const char *headers)
{
    char text[512];
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: test\r\n%s\r\n", path, headers);
    client_send_text(c, text);
}

static void send_length(struct client *c, const char *path, size_t n)
{
    char header[64];
    snprintf(header, sizeof header, "Content-Length: %zu\r\n", n);
    send_head(c, path, header);
}

static void check_answer(const struct test_server *s, struct client *c, const struct question *q)
{
    struct response_text r;
    assert_true(client_receive(c, BODY_FOLLOWS, &r));
    if (r.status != 200)
        fail_msg("%u: %s", r.status, r.body);
    test_service_check_scores(&s->service, r.body, q->user, q->items, N_ITEMS);
}

static void large_bodies_are_answered_as_small_ones_are(void **state)
{
    static const size_t sizes[] = {65535, 65536, 65537, 70000, 300001},
                        steps[] = {1000, 4097, 65536, 1 << 20};
    struct client c;
    client_connect(*state, &c);
    for (size_t i = 0; i < 20; i++) {
        struct question q;
        size_t step = steps[i % 4];
        make_question(i, sizes[i / 4], &q);
        send_length(&c, "/v1/score", q.n);
        for (size_t at = 0; at < q.n; at += step)
            client_send(&c, q.body + at, q.n - at < step ? q.n - at : step);
        check_answer(*state, &c, &q);
        free(q.body);
    }
    client_close(&c);
}

static void send_chunk(struct client *c, const char *bytes, size_t n)
{
    char head[32];
    snprintf(head, sizeof head, "%zx\r\n", n);
    client_send_text(c, head);
    client_send(c, bytes, n);
    client_send_text(c, "\r\n");
}

static void large_bodies_may_be_chunked(void **state)
{
    struct client c;
    client_connect(*state, &c);
    for (size_t step = 999; step < 200000; step *= 7) {
        struct question q;
        make_question(step, 200000, &q);
        send_head(&c, "/v1/score", "Transfer-Encoding: chunked\r\n");
        for (size_t at = 0; at < q.n; at += step)
            send_chunk(&c, q.body + at, q.n - at < step ? q.n - at : step);
        client_send_text(&c, "0\r\n\r\n");
        check_answer(*state, &c, &q);
        free(q.body);
    }
    client_close(&c);
}

/* The JSON is padded with blanks at its end. */
static void ask_binary(const struct test_server *s, size_t n_json, struct response_text *out)
{
    static const char json[] =
        "{\"inputs\":[{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT64\",\"parameters\":"
        "{\"binary_data_size\":8}},{\"name\":\"items\",\"shape\":[4],\"datatype\":\"BYTES\","
        "\"parameters\":{\"binary_data_size\":21}}]}";
    static const char binary[] = "\7\0\0\0\0\0\0\0\1\0\0\0"
                                 "5\1\0\0\0"
                                 "7\2\0\0\0"
                                 "71\1\0\0\0x";
    char *body = malloc(n_json), headers[128];
    struct client c;
    assert_non_null(body);
    memset(body, ' ', n_json);
    memcpy(body, json, sizeof json - 1);
    client_connect(s, &c);
    snprintf(headers, sizeof headers, "Inference-Header-Content-Length: %zu\r\nContent-Length: %zu\r\n",
             n_json, n_json + sizeof binary - 1);
    send_head(&c, "/v2/models/tiny.model/infer", headers);
    client_send(&c, body, n_json);
    for (size_t i = 0; i < sizeof binary - 1; i++)
        client_send(&c, binary + i, 1);
    assert_true(client_receive(&c, BODY_FOLLOWS, out));
    client_close(&c);
    free(body);
}

static void binary_tensors_behind_a_large_json_are_read(void **state)
{
    struct response_text small, large;
    ask_binary(*state, 300, &small);
    ask_binary(*state, 100000, &large);
    assert_int_equal(small.status, 200);
    assert_int_equal(large.status, 200);
    assert_non_null(strstr(small.body, "\"unknown\":1"));
    assert_string_equal(large.body, small.body);
}

static size_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* The server is in this process. */
static void a_large_body_takes_no_memory_for_its_text(void **state)
{
    struct client c;
    struct question q;
    make_question(1, LARGE, &q);
    client_connect(*state, &c);
    send_length(&c, "/v1/score", q.n);
    size_t before = allocated_bytes(), most = 0;
    for (size_t at = 0; at < q.n; at += 1 << 16) {
        client_send(&c, q.body + at, q.n - at < 1 << 16 ? q.n - at : 1 << 16);
        size_t now = allocated_bytes();
        most = now > before && now - before > most ? now - before : most;
    }
    check_answer(*state, &c, &q);
    assert_in_range(most, 0, 512 << 10);
    free(q.body);
    client_close(&c);
}

static void what_is_wrong_is_answered_before_the_rest_is_sent(void **state)
{
    static char many[8192];
    static const struct {
        const char *path, *begin;
        unsigned status;
        const char *message;
    } cases[] = {{"/v1/score", "{\"usr\": 1, ", 400, "did you mean \\\"user\\\"?"},
                 {"/v1/score", "{\"user\": 1 \"items\": ", 400, "expected ',' or '}' at byte 11"},
                 {"/v1/score", many, 400, "\\\"items\\\" is longer than the limit of 1000"},
                 {"/v1/models/none/score", "{\"user\": 1, ", 404, "none"},
                 {"/v2/models/tiny.model/infer",
                  "{\"inputs\":[{\"name\":\"items\",\"shape\":[1000000],\"datatype\":\"INT64\",\"data\":[",
                  400, "1 rows of 1000000 scores are over the limit of 1000"}};
    size_t n = (size_t)sprintf(many, "{\"user\": 1, \"items\": [1");
    for (int i = 0; i < 1001; i++)
        n += (size_t)sprintf(many + n, ",%d", i);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c;
        struct response_text r;
        client_connect(*state, &c);
        send_length(&c, cases[i].path, LARGE);
        client_send_text(&c, cases[i].begin);
        assert_true(client_receive(&c, BODY_FOLLOWS, &r));
        assert_int_equal(r.status, cases[i].status);
        if (!strstr(r.body, cases[i].message))
            fail_msg("%s: %s", cases[i].begin, r.body);
        assert_string_equal(header_of(&r, "Connection"), "close");
        assert_string_equal(header_of(&r, "Content-Type"), "application/json");
        assert_true(client_sees_close(&c));
        client_close(&c);
    }
    struct client c;
    client_connect(*state, &c);
    check_scoring(*state, &c, 1);
    client_close(&c);
}

static void a_header_that_is_wrong_is_answered_before_the_rest_is_sent(void **state)
{
    struct client c;
    struct response_text r;
    client_connect(*state, &c);
    send_head(&c, "/v2/models/tiny.model/infer",
              "Inference-Header-Content-Length: x\r\nContent-Length: 1000000\r\n");
    client_send_text(&c, "{\"inputs\"");
    assert_true(client_receive(&c, BODY_FOLLOWS, &r));
    assert_int_equal(r.status, 400);
    client_send_text(&c, ": [");
    assert_true(client_sees_close(&c));
    client_close(&c);
    client_connect(*state, &c);
    check_scoring(*state, &c, 1);
    client_close(&c);
}

/* It does not look before it has sent all: the answer must be there to be read even so. */
static void who_sends_all_first_still_reads_what_was_wrong(void **state)
{
    struct client c;
    struct question q;
    struct response_text r;
    for (int i = 0; i < 5; i++) {
        make_question(1, LARGE, &q);
        memcpy(q.body, "{\"x", 3);
        client_connect(*state, &c);
        send_length(&c, "/v1/score", q.n);
        client_send(&c, q.body, q.n);
        assert_true(client_receive(&c, BODY_FOLLOWS, &r));
        assert_error(&r, 400, "bad_request");
        assert_true(client_sees_close(&c));
        client_close(&c);
        free(q.body);
    }
}

/* Nothing more is to come: the connection stays. */
static void what_is_wrong_at_the_end_is_answered_as_ever(void **state)
{
    struct client c;
    struct question q;
    struct response_text r;
    make_question(1, 100000, &q);
    q.body[q.n - 1] = ']';
    client_connect(*state, &c);
    send_length(&c, "/v1/score", q.n);
    client_send(&c, q.body, q.n);
    assert_true(client_receive(&c, BODY_FOLLOWS, &r));
    assert_error(&r, 400, "bad_request");
    assert_non_null(strstr(r.body, "at byte 99999"));
    check_scoring(*state, &c, 1);
    client_close(&c);
    free(q.body);
}

static void clients_that_leave_halfway_leave_nothing_behind(void **state)
{
    static char body[100000];
    struct client c;
    size_t before = 0;
    memset(body, ' ', sizeof body);
    memcpy(body, "{\"user\":1,\"items\":[1,\"a\"", 23);
    for (int i = 0; i < 200; i++) {
        client_connect(*state, &c);
        send_length(&c, "/v1/score", LARGE);
        client_send(&c, body, sizeof body);
        client_close(&c);
        client_connect(*state, &c);
        check_scoring(*state, &c, 1);
        client_close(&c);
        if (i == 100)
            before = allocated_bytes();
    }
    /* The server sees a moment later that the last ones have left. */
    size_t after = allocated_bytes();
    for (int i = 0; i < 500 && after > before + (512 << 10); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        after = allocated_bytes();
    }
    assert_in_range(after > before ? after - before : 0, 0, 512 << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_bodies_are_answered_as_small_ones_are),
        cmocka_unit_test(large_bodies_may_be_chunked),
        cmocka_unit_test(binary_tensors_behind_a_large_json_are_read),
        cmocka_unit_test(a_large_body_takes_no_memory_for_its_text),
        cmocka_unit_test(what_is_wrong_is_answered_before_the_rest_is_sent),
        cmocka_unit_test(a_header_that_is_wrong_is_answered_before_the_rest_is_sent),
        cmocka_unit_test(who_sends_all_first_still_reads_what_was_wrong),
        cmocka_unit_test(what_is_wrong_at_the_end_is_answered_as_ever),
        cmocka_unit_test(clients_that_leave_halfway_leave_nothing_behind),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, streams_setup, server_teardown)
                                     : TEST_SKIPPED;
}
