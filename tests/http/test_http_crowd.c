/* Many clients at once, and bad neighbours among them. */
#include "http/http_fixture.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_connection_carries_many_requests(void **state)
{
    struct client c;
    client_connect(*state, &c);
    for (uint64_t seed = 0; seed < 2000; seed++)
        check_scoring(*state, &c, seed);
    client_close(&c);
}

static void two_hundred_connections_are_served_at_once(void **state)
{
    (void)state;
    enum { N = 200 };
    struct test_server s;
    struct client *clients = calloc(N, sizeof *clients);
    assert_non_null(clients);
    test_server_start(&(struct test_server_options){.max_connections = N + 50}, &s);
    for (size_t i = 0; i < N; i++)
        client_connect(&s, &clients[i]);
    for (uint64_t round = 0; round < 5; round++)
        for (size_t i = 0; i < N; i++)
            check_scoring(&s, &clients[(i * 37 + round) % N], round * N + i);
    for (size_t i = 0; i < N; i++)
        client_close(&clients[i]);
    free(clients);
    test_server_stop(&s);
}

/* Beyond the limit a client waits in the kernel's queue until another one goes. */
static void connections_beyond_the_limit_wait_their_turn(void **state)
{
    (void)state;
    struct test_server s;
    struct client first, second, third;
    test_server_start(&(struct test_server_options){.n_threads = 1, .max_connections = 2}, &s);
    client_connect(&s, &first);
    client_connect(&s, &second);
    check_scoring(&s, &first, 1);
    check_scoring(&s, &second, 2);
    client_connect(&s, &third);
    client_send_text(&third, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
    check_scoring(&s, &first, 3);
    check_scoring(&s, &second, 4);
    client_close(&first);
    struct response_text r;
    assert_true(client_receive(&third, BODY_FOLLOWS, &r));
    assert_int_equal(r.status, 200);
    client_close(&second);
    client_close(&third);
    test_server_stop(&s);
}

static void idle_connections_are_closed(void **state)
{
    (void)state;
    struct test_server s;
    struct client idle, halfway;
    test_server_start(&(struct test_server_options){.idle_timeout_s = 1}, &s);
    client_connect(&s, &idle);
    client_connect(&s, &halfway);
    check_scoring(&s, &idle, 1);
    client_send_text(&halfway, "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{");
    assert_true(client_sees_close(&idle));
    assert_true(client_sees_close(&halfway));
    client_close(&idle);
    client_close(&halfway);
    test_server_stop(&s);
}

/* What disturbs the server while others are to be served. */
struct neighbour {
    const struct test_server *server;
    atomic_bool stopping;
    unsigned seed;
};

static void *send_nonsense(void *context)
{
    struct neighbour *n = context;
    static const char *const texts[] = {
        "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 9000\r\n\r\n{\"user\"",
        "GET /v1/sc",
        "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\n}}}",
        "POST /v1/topk HTTP/1.1\r\nHost: test\r\nContent-Length: 21\r\n\r\n{\"user\": 1, \"k\": 999}",
        "\r\n\xff\xfe\r\n\r\n",
        "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999\r\n\r\n",
        "POST /v1/score HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n{",
    };
    while (!atomic_load(&n->stopping)) {
        static _Thread_local struct client c;
        const char *text = texts[n->seed++ % (sizeof texts / sizeof *texts)];
        client_connect(n->server, &c);
        client_send(&c, text, strlen(text));
        client_close(&c);
    }
    return NULL;
}

/* Beside nonsense without end a healthy client is served; and what the others leave behind, once they have
 * gone, is cleared away by the idle timeout at the latest. */
static void bad_neighbours_disturb_no_one(void **state)
{
    (void)state;
    struct test_server s;
    test_server_start(&(struct test_server_options){.idle_timeout_s = 2}, &s);
    struct neighbour neighbours[2] = {{.server = &s}, {.server = &s, .seed = 3}};
    struct client slow[20], c;
    pthread_t threads[2];
    client_connect(&s, &c);
    for (size_t i = 0; i < 20; i++) {
        client_connect(&s, &slow[i]);
        client_send_text(&slow[i],
                         "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{\"us");
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_nonsense, &neighbours[i]), 0);
    for (uint64_t seed = 0; seed < 2000; seed++)
        check_scoring(&s, &c, seed);
    for (size_t i = 0; i < 2; i++) {
        atomic_store(&neighbours[i].stopping, true);
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < 20; i++)
        client_close(&slow[i]);
    client_close(&c);
    sleep(3);
    client_connect(&s, &c);
    check_scoring(&s, &c, 1);
    client_close(&c);
    test_server_stop(&s);
}

static void twenty_thousand_requests_leave_memory_as_it_was(void **state)
{
    static const struct {
        const char *method, *path, *body;
    } asks[] = {{"POST", "/v1/score", "{\"user\": 1, \"items\": [1, 2, \"a\\u0000b\"]}"},
                {"POST", "/v1/topk", "{\"user\": 1, \"k\": 100, \"exclude_seen\": true}"},
                {"POST", "/v1/score", "{\"requests\": [{\"user\": 1, \"items\": [1]}, {}, 3]}"},
                {"POST", "/v1/score", "{\"user\": 1, \"items\": [1"},
                {"GET", "/v1/model", NULL},
                {"GET", "/nowhere", NULL}};
    static struct client c;
    static struct response_text r;
    size_t warm = 0;
    client_connect(*state, &c);
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)i % (sizeof asks / sizeof *asks);
        client_ask(&c, asks[n].method, asks[n].path, asks[n].body, &r);
        if (i == 2000)
            warm = mallinfo2().uordblks;
    }
    client_close(&c);
    /* PoCL keeps a little of its own. */
    assert_in_range(mallinfo2().uordblks, 0, warm + 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_carries_many_requests),
        cmocka_unit_test(two_hundred_connections_are_served_at_once),
        cmocka_unit_test(connections_beyond_the_limit_wait_their_turn),
        cmocka_unit_test(idle_connections_are_closed),
        cmocka_unit_test(bad_neighbours_disturb_no_one),
        cmocka_unit_test(twenty_thousand_requests_leave_memory_as_it_was),
    };
    return RUN_SERVER_TESTS(tests);
}
