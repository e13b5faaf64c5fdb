/* Requests that come over many connections at once, of a device that queues work. */
#include "http/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_CLIENTS = 90, N_ROUNDS = 20, TEXT_BYTES = 512 };

/* Of every path that may be put off, right and wrong. */
static void nth_request(size_t n, char text[TEXT_BYTES])
{
    static const char *const paths[] = {"/v1/score", "/v1/topk", "/v1/score", "/v2/models/tiny.model/infer",
                                        "/v1/models/none/score"};
    static const char *const bodies[] = {
        "{\"user\": %zu, \"items\": [1, 2, %zu]}", "{\"user\": %zu, \"k\": 5, \"exclude\": [%zu]}",
        "{\"user\": %zu, \"items\": [%zu",
        ("{\"inputs\":[{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[%zu]},"
         "{\"name\":\"items\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[%zu,4]}]}"),
        "{\"user\": %zu, \"items\": [%zu]}"};
    char body[256];
    snprintf(body, sizeof body, bodies[n % 5], n % 50, n * 31 % 500);
    snprintf(text, TEXT_BYTES, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n%s",
             paths[n % 5], strlen(body), body);
}

static void a_crowd_is_answered_as_each_alone(void **state)
{
    struct test_server s;
    struct client *clients = calloc(N_CLIENTS, sizeof *clients);
    struct response_text *alone = calloc(N_CLIENTS, sizeof *alone), now;
    char text[TEXT_BYTES];
    (void)state;
    assert_true(clients && alone);
    test_server_start(&(struct test_server_options){.n_threads = 1, .scorer.engine = "queued"}, &s);
    for (size_t i = 0; i < N_CLIENTS; i++) {
        client_connect(&s, &clients[i]);
        nth_request(i, text);
        client_send_text(&clients[i], text);
        assert_true(client_receive(&clients[i], BODY_FOLLOWS, &alone[i]));
    }
    for (size_t round = 0; round < N_ROUNDS; round++) {
        for (size_t i = 0; i < N_CLIENTS; i++) {
            nth_request(i, text);
            client_send_text(&clients[i], text);
        }
        for (size_t i = 0; i < N_CLIENTS; i++) {
            assert_true(client_receive(&clients[i], BODY_FOLLOWS, &now));
            assert_int_equal(now.status, alone[i].status);
            assert_string_equal(now.body, alone[i].body);
        }
    }
    for (size_t i = 0; i < N_CLIENTS; i++)
        client_close(&clients[i]);
    free(clients);
    free(alone);
    test_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_is_answered_as_each_alone),
    };
    return RUN_SERVER_TESTS(tests);
}
