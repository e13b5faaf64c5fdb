#include "bench/tiny_server.h"
#include "cli/ask_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char request[] = "{\"user\":1,\"items\":[1,2]}";

/* A server with a fault at each request, an asker, and what came of asking it twice. */
struct exchange {
    enum collide_status status;
    struct collide_error err;
    char reply[128];
    char address[64];
};

static struct exchange ask_twice(enum tiny_fault fault, uint64_t timeout_ms)
{
    struct exchange x = {.status = COLLIDE_OK};
    struct tiny_server *server = tiny_server_start(fault, 1);
    struct asker asker;
    assert_non_null(server);
    snprintf(x.address, sizeof x.address, "http://127.0.0.1:%u", tiny_server_port(server));
    const struct server_options options = {.address = x.address, .timeout_ms = timeout_ms};
    assert_int_equal(ask_http_open(&options, &asker, &x.err), COLLIDE_OK);
    for (int i = 0; i < 2 && x.status == COLLIDE_OK; i++) {
        struct buffer reply = {0};
        x.status = asker.ask(asker.self, REQUEST_SCORE, request, strlen(request), &reply, &x.err);
        snprintf(x.reply, sizeof x.reply, "%.*s", (int)reply.n_bytes, reply.bytes ? reply.bytes : "");
        buffer_free(&reply);
    }
    ask_http_close(&asker);
    tiny_server_stop(server);
    return x;
}

static void answers_come_in_any_shape(void **state)
{
    (void)state;
    static const enum tiny_fault shapes[] = {TINY_NONE, TINY_CHUNKED, TINY_DRIBBLE, TINY_CLOSES,
                                             TINY_VANISHES};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct exchange x = ask_twice(shapes[i], 10000);
        assert_int_equal(x.status, COLLIDE_OK);
        assert_string_equal(x.reply, "{\"scores\":[0.5,0.25]}");
    }
}

static void a_refusal_says_what_the_server_says(void **state)
{
    (void)state;
    struct exchange x = ask_twice(TINY_REFUSES, 10000);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s answers 503: too many requests; try again in 2 s", x.address);
    assert_int_equal(x.status, COLLIDE_BUSY);
    assert_string_equal(x.err.text, wanted);
    assert_string_equal(x.reply, "{\"error\":{\"code\":\"unavailable\",\"message\":\"too many requests\"}}");
}

static void no_answer_is_no_server(void **state)
{
    (void)state;
    static const enum tiny_fault faults[] = {TINY_DROPS, TINY_GARBLES, TINY_HANGS};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct exchange x = ask_twice(faults[i], faults[i] == TINY_HANGS ? 200 : 10000);
        char wanted[128];
        snprintf(wanted, sizeof wanted, "cannot ask %s: ", x.address);
        assert_int_equal(x.status, COLLIDE_NOT_FOUND);
        assert_memory_equal(x.err.text, wanted, strlen(wanted));
        assert_string_equal(x.reply, "");
    }
}

static void a_key_file_must_hold_a_key(void **state)
{
    (void)state;
    struct asker asker;
    struct collide_error err;
    struct server_options options = {.address = "http://127.0.0.1:1", .key = "/nonexistent"};
    assert_int_equal(ask_http_open(&options, &asker, &err), COLLIDE_NOT_FOUND);
    ask_http_close(&asker);
    options.key = "/dev/null";
    assert_int_equal(ask_http_open(&options, &asker, &err), COLLIDE_INVALID);
    ask_http_close(&asker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_in_any_shape),
        cmocka_unit_test(a_refusal_says_what_the_server_says),
        cmocka_unit_test(no_answer_is_no_server),
        cmocka_unit_test(a_key_file_must_hold_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
