/* Whatever has begun when the server is told to stop is answered, and answered right. */
#include "http/http_fixture.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_ITEMS = 20 };

/* Stops the server in a thread of its own, since stopping waits for the clients. */
struct stopping {
    struct test_server server;
    pthread_t thread;
    unsigned timeout_s;
    atomic_bool has_stopped;
};

static void *stop(void *context)
{
    struct stopping *s = context;
    service_drain(s->server.service.service);
    http_server_destroy(s->server.http, s->timeout_s);
    atomic_store(&s->has_stopped, true);
    return NULL;
}

static void begin_stopping(struct stopping *s, unsigned timeout_s)
{
    s->timeout_s = timeout_s;
    atomic_store(&s->has_stopped, false);
    assert_int_equal(pthread_create(&s->thread, NULL, stop, s), 0);
}

static void end_stopping(struct stopping *s)
{
    pthread_join(s->thread, NULL);
    loader_destroy(s->server.loader);
    test_service_destroy(&s->server.service);
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void a_half_sent_request_is_waited_for_and_answered(void **state)
{
    (void)state;
    static struct stopping s;
    struct client c;
    struct response_text r;
    uint64_t user, items[N_ITEMS];
    char body[64 + 8 * N_ITEMS], head[128];
    test_server_start(&(struct test_server_options){.n_threads = 2}, &s.server);
    test_service_request(1, N_ITEMS, &user, items, body);
    snprintf(head, sizeof head, "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n",
             strlen(body));
    client_connect(&s.server, &c);
    client_send_text(&c, head);
    client_send(&c, body, 10);
    sleep_ms(500);
    begin_stopping(&s, 5);
    sleep_ms(300);
    assert_false(atomic_load(&s.has_stopped));
    client_send_text(&c, body + 10);
    assert_true(client_receive(&c, BODY_FOLLOWS, &r));
    assert_int_equal(r.status, 200);
    test_service_check_scores(&s.server.service, r.body, user, items, N_ITEMS);
    assert_string_equal(header_of(&r, "Connection"), "close");
    assert_true(client_sees_close(&c));
    client_close(&c);
    end_stopping(&s);
}

static void a_request_that_never_ends_is_cut_off_in_time(void **state)
{
    (void)state;
    static struct stopping s;
    struct client c;
    struct timespec begin, end;
    test_server_start(&(struct test_server_options){.n_threads = 1}, &s.server);
    client_connect(&s.server, &c);
    client_send_text(&c, "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{");
    sleep_ms(500);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    begin_stopping(&s, 1);
    assert_true(client_sees_close(&c));
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_in_range(end.tv_sec - begin.tv_sec, 0, 3);
    client_close(&c);
    end_stopping(&s);
}

static void idle_connections_hold_nothing_up(void **state)
{
    (void)state;
    static struct stopping s;
    static struct client clients[20];
    test_server_start(&(struct test_server_options){.n_threads = 2}, &s.server);
    for (size_t i = 0; i < 20; i++) {
        client_connect(&s.server, &clients[i]);
        check_scoring(&s.server, &clients[i], i);
    }
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    begin_stopping(&s, 10);
    end_stopping(&s);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_in_range(end.tv_sec - begin.tv_sec, 0, 4);
    for (size_t i = 0; i < 20; i++) {
        assert_true(client_sees_close(&clients[i]));
        client_close(&clients[i]);
    }
}

static void a_draining_server_says_so_and_takes_no_one_new(void **state)
{
    (void)state;
    static struct stopping s;
    struct client early, halfway;
    struct response_text r;
    test_server_start(&(struct test_server_options){.n_threads = 2}, &s.server);
    client_connect(&s.server, &early);
    client_connect(&s.server, &halfway);
    check_scoring(&s.server, &early, 1);
    client_send_text(&halfway, "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{");
    sleep_ms(500);
    begin_stopping(&s, 5);
    sleep_ms(100);
    client_ask(&early, "GET", "/readyz", NULL, &r);
    assert_error(&r, 503, "unavailable");
    assert_string_equal(header_of(&r, "Retry-After"), "1");
    assert_string_equal(header_of(&r, "Connection"), "close");
    client_close(&early);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(s.server.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int late = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(late, (struct sockaddr *)&to, sizeof to), -1);
    close(late);
    client_send_text(&halfway, "}");
    assert_true(client_receive(&halfway, BODY_FOLLOWS, &r));
    assert_error(&r, 400, "bad_request");
    client_close(&halfway);
    end_stopping(&s);
}

/* A client that asks without pause, until the server says that it closes. What it had sent whole before the
 * server was told to stop must be answered; what it sends later may come too late. */
struct crowd_client {
    const atomic_bool *is_stopping;
    pthread_t thread;
    uint64_t seed;
    unsigned n_answered, n_wrong, n_lost;
    struct client client;
    struct response_text response;
};

static void *ask_without_pause(void *context)
{
    struct crowd_client *c = context;
    char request[512];
    uint64_t user, items[N_ITEMS];
    char body[64 + 8 * N_ITEMS];
    for (bool is_open = true; is_open; c->seed++) {
        test_service_request(c->seed, N_ITEMS, &user, items, body);
        snprintf(request, sizeof request,
                 "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
                 body);
        bool is_sent = send(c->client.fd, request, strlen(request), MSG_NOSIGNAL) > 0;
        bool is_in_time = is_sent && !atomic_load(c->is_stopping);
        if (!is_sent || !client_receive(&c->client, BODY_FOLLOWS, &c->response)) {
            c->n_lost += is_in_time;
            break;
        }
        c->n_answered++;
        c->n_wrong += c->response.status != 200 || !strstr(c->response.body, "\"unknown\":0}");
        is_open = !header_of(&c->response, "Connection");
    }
    return NULL;
}

static void no_request_is_lost_when_many_are_in_flight(void **state)
{
    (void)state;
    enum { N_CLIENTS = 16, N_ROUNDS = 5 };
    static struct crowd_client crowd[N_CLIENTS];
    static struct stopping s;
    atomic_bool is_stopping;
    for (int round = 0; round < N_ROUNDS; round++) {
        atomic_store(&is_stopping, false);
        test_server_start(&(struct test_server_options){.n_threads = 2}, &s.server);
        for (size_t i = 0; i < N_CLIENTS; i++) {
            crowd[i] = (struct crowd_client){.is_stopping = &is_stopping, .seed = i * 1000};
            client_connect(&s.server, &crowd[i].client);
            check_scoring(&s.server, &crowd[i].client, i);
        }
        for (size_t i = 0; i < N_CLIENTS; i++)
            assert_int_equal(pthread_create(&crowd[i].thread, NULL, ask_without_pause, &crowd[i]), 0);
        sleep_ms(500);
        atomic_store(&is_stopping, true);
        begin_stopping(&s, 5);
        for (size_t i = 0; i < N_CLIENTS; i++) {
            pthread_join(crowd[i].thread, NULL);
            assert_int_equal(crowd[i].n_lost, 0);
            assert_int_equal(crowd[i].n_wrong, 0);
            assert_true(crowd[i].n_answered > 0);
            client_close(&crowd[i].client);
        }
        end_stopping(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_sent_request_is_waited_for_and_answered),
        cmocka_unit_test(a_request_that_never_ends_is_cut_off_in_time),
        cmocka_unit_test(idle_connections_hold_nothing_up),
        cmocka_unit_test(a_draining_server_says_so_and_takes_no_one_new),
        cmocka_unit_test(no_request_is_lost_when_many_are_in_flight),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
