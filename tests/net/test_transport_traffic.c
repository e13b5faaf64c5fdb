/* AF_XDP under load beside all else that an interface carries, and on two queues at once. */
#include "transport_fixture.h"

#include "net/quiz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N_HTTP_REQUESTS = 200, N_CANDIDATES = 20, N_FLUSHES = 5, N_FLOWS = 64 };

static struct transport_server server;
static struct quiz quiz;
static struct quiz_load load; /* on AF_XDP, while a test of one queue runs */

static int setup(void **state)
{
    (void)state;
    transport_server_start(&(struct transport_server_options){.spec = &test_service_model, .n_queues = 1},
                           &server);
    quiz_draw(&server.service, 1, &quiz);
    return 0;
}

static int setup_two_queues(void **state)
{
    (void)state;
    transport_server_start(&(struct transport_server_options){.spec = &test_service_model, .n_queues = 2},
                           &server);
    quiz_draw(&server.service, 2, &quiz);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    transport_server_stop(&server);
    return 0;
}

static int start_load(void **state)
{
    (void)state;
    load = (struct quiz_load){.quiz = &quiz,
                              .client = transport_server_connect(&server, "udp://10.77.0.1:9000"),
                              .n_in_flight = 50};
    quiz_load_start(&load);
    quiz_load_await_rounds(&load, 1);
    return 0;
}

/* All is answered, by the end. */
static int stop_load(void **state)
{
    (void)state;
    quiz_load_await_rounds(&load, 1);
    quiz_load_stop(&load);
    collide_client_destroy(load.client);
    assert_int_equal(load.report.n_right, load.report.n_asked);
    transport_server_check_frames();
    return 0;
}

/* Of several, one may be lost: kernels lose some when they have just forgotten a neighbour. */
static void ping(const char *host)
{
    if (veth_run(&server.veth, VETH_FAR, "ping -q -c 10 -i 0.01 -W 5 %s >/dev/null", host) != 0)
        fail_msg("no ping of %s was answered", host);
}

static void pings_are_answered(void **state)
{
    (void)state;
    ping(VETH_NEAR_IPV4);
    ping(VETH_NEAR_IPV6);
}

static void neighbours_are_found_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FLUSHES; i++) {
        for (enum veth_side side = VETH_NEAR; side <= VETH_FAR; side++)
            assert_int_equal(veth_run(&server.veth, side, "ip neigh flush dev " VETH_INTERFACE), 0);
        quiz_load_await_rounds(&load, 1);
        ping(VETH_NEAR_IPV4);
        ping(VETH_NEAR_IPV6);
        for (enum veth_side side = VETH_NEAR; side <= VETH_FAR; side++)
            assert_int_equal(veth_run(&server.veth, side,
                                      "ip neigh show dev " VETH_INTERFACE " | grep -q '10.77.0.*lladdr'"),
                             0);
    }
}

static void tcp_is_served(void **state)
{
    (void)state;
    static struct client http;
    static struct response_text reply;
    uint64_t user, items[N_CANDIDATES];
    char body[64 + 8 * N_CANDIDATES];
    transport_server_connect_http(&http);
    for (size_t i = 0; i < N_HTTP_REQUESTS; i++) {
        test_service_request(i, N_CANDIDATES, &user, items, body);
        client_ask(&http, "POST", "/v1/score", body, &reply);
        assert_int_equal(reply.status, 200);
        test_service_check_scores(&server.service, reply.body, user, items, N_CANDIDATES);
    }
    client_close(&http);
}

static void other_ports_of_udp_are_served(void **state)
{
    (void)state;
    static const char *const urls[] = {"udp://10.77.0.1:9001", "udp://[fd77::1]:9001"};
    for (size_t i = 0; i < 2; i++) {
        struct quiz_report report = {0};
        struct collide_client *client = transport_server_connect(&server, urls[i]);
        quiz_ask_well(&quiz, client, 50, &report);
        assert_int_equal(report.n_right, QUIZ_QUESTIONS);
        collide_client_destroy(client);
    }
}

/* By the kernel's own count of what its queue gave to the XDP program. */
static bool has_received(unsigned queue, unsigned n_frames)
{
    return veth_run(&server.veth, VETH_NEAR,
                    "ethtool -S " VETH_INTERFACE
                    " | awk '/rx_queue_%u_xdp_packets/ { n = $2 } END { exit !(n >= %u) }'",
                    queue, n_frames) == 0;
}

/* A flow goes one way as a whole; of 64, fewer than 10 go the rarer way once in 10^8. The smaller flows have
 * at least half the frames of the average. */
static void flows_are_spread_over_two_queues_and_all_are_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FLOWS; i++) {
        struct quiz_report report = {0};
        struct collide_client *client =
            transport_server_connect(&server, i % 2 ? "udp://10.77.0.1:9000" : "udp://[fd77::1]:9000");
        quiz_ask_well(&quiz, client, 50, &report);
        assert_int_equal(report.n_right, QUIZ_QUESTIONS);
        collide_client_destroy(client);
    }
    uint64_t n_received = transport_server_count("received");
    assert_true(n_received > N_FLOWS);
    for (unsigned queue = 0; queue < 2; queue++)
        assert_true(has_received(queue, (unsigned)(n_received * 5 / N_FLOWS)));
    transport_server_check_frames();
}

int main(void)
{
    const struct CMUnitTest one_queue[] = {
        cmocka_unit_test_setup_teardown(pings_are_answered, start_load, stop_load),
        cmocka_unit_test_setup_teardown(neighbours_are_found_again, start_load, stop_load),
        cmocka_unit_test_setup_teardown(tcp_is_served, start_load, stop_load),
        cmocka_unit_test_setup_teardown(other_ports_of_udp_are_served, start_load, stop_load),
    };
    const struct CMUnitTest two_queues[] = {
        cmocka_unit_test(flows_are_spread_over_two_queues_and_all_are_answered),
    };
    veth_require();
    if (!test_service_has_device())
        return TEST_SKIPPED;
    int n_failed = cmocka_run_group_tests(one_queue, setup, teardown);
    return n_failed + cmocka_run_group_tests(two_queues, setup_two_queues, teardown);
}
