/* A million frames with requests that are wrong in one way or another, at speed, beside a client that asks
 * properly all the while. */
#include "transport_fixture.h"

#include "net/hostile_frame.h"
#include "net/packet_socket.h"
#include "net/quiz.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { N_FRAMES = 100000 };
#else
enum { N_FRAMES = 1000000 };
#endif
enum { N_TO_SOCKETS = N_FRAMES / 4, N_AT_ONCE = 64 };

struct setting {
    struct transport_server server;
    struct quiz quiz;
};

static void fill_routes(const struct veth *v, uint16_t port, struct frame_draft routes[2])
{
    routes[0] = (struct frame_draft){.ip_version = 4, .source_port = 5555, .destination_port = port};
    packet_read_mac(v, VETH_FAR, routes[0].source_mac);
    packet_read_mac(v, VETH_NEAR, routes[0].destination_mac);
    routes[1] = routes[0];
    routes[1].ip_version = 6;
    inet_pton(AF_INET, VETH_FAR_IPV4, routes[0].source);
    inet_pton(AF_INET, VETH_NEAR_IPV4, routes[0].destination);
    inet_pton(AF_INET6, VETH_FAR_IPV6, routes[1].source);
    inet_pton(AF_INET6, VETH_NEAR_IPV6, routes[1].destination);
}

static void remember(const struct veth *v, enum veth_side side, const char *host, const uint8_t mac[6])
{
    assert_int_equal(veth_run(v, side,
                              "ip neigh replace %s dev " VETH_INTERFACE
                              " lladdr %02x:%02x:%02x:%02x:%02x:%02x nud permanent",
                              host, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]),
                     0);
}

/* Senders that never were fill the kernel's table of neighbours: true ones must have their place. */
static void remember_neighbours(const struct veth *v)
{
    struct frame_draft routes[2];
    fill_routes(v, 0, routes);
    remember(v, VETH_FAR, VETH_NEAR_IPV4, routes[0].destination_mac);
    remember(v, VETH_FAR, VETH_NEAR_IPV6, routes[0].destination_mac);
    remember(v, VETH_NEAR, VETH_FAR_IPV4, routes[0].source_mac);
    remember(v, VETH_NEAR, VETH_FAR_IPV6, routes[0].source_mac);
}

static int setup(void **state)
{
    static struct setting s;
    transport_server_start(&(struct transport_server_options){.spec = &test_service_model, .n_queues = 1},
                           &s.server);
    remember_neighbours(&s.server.veth);
    quiz_draw(&s.server.service, 1, &s.quiz);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    transport_server_stop(&((struct setting *)*state)->server);
    return 0;
}

/* Those that the socket refuses to send do not count. */
static void send_hostile_frames(const struct veth *v, uint16_t port, size_t n_frames)
{
    static uint8_t bytes[N_AT_ONCE][HOSTILE_FRAME_BYTES];
    struct mmsghdr headers[N_AT_ONCE];
    struct iovec parts[N_AT_ONCE];
    struct frame_draft routes[2];
    struct rng rng = rng_seeded(port, 23);
    int fd = packet_open(v, VETH_FAR);
    fill_routes(v, port, routes);
    memset(headers, 0, sizeof headers);
    for (size_t n_sent = 0; n_sent < n_frames;) {
        for (size_t i = 0; i < N_AT_ONCE; i++) {
            parts[i] = (struct iovec){bytes[i], hostile_frame_write(&rng, routes, bytes[i])};
            headers[i].msg_hdr.msg_iov = &parts[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        for (unsigned at = 0; at < N_AT_ONCE;) {
            int n = sendmmsg(fd, headers + at, N_AT_ONCE - at, 0);
            at += n > 0 ? (unsigned)n : 1;
            n_sent += n > 0 ? (unsigned)n : 0;
        }
    }
    close(fd);
}

static void check_hostility(struct setting *s, const char *url, uint16_t port, size_t n_frames)
{
    static const struct collide_client_options patient = {.timeout_us = 20000, .n_retries = 200};
    struct collide_client_options options = patient;
    struct quiz_load load = {.quiz = &s->quiz, .n_in_flight = 20};
    struct collide_error err = {0};
    options.url = url;
    if (collide_client_create(&options, &load.client, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    quiz_load_start(&load);
    quiz_load_await_rounds(&load, 1);
    send_hostile_frames(&s->server.veth, port, n_frames);
    quiz_load_await_rounds(&load, 2);
    quiz_load_stop(&load);
    assert_int_equal(load.report.n_right, load.report.n_asked);
    collide_client_destroy(load.client);
    transport_server_check_frames();
}

/* Each layer was reached, however much was lost on the way. */
static void has_counted(const char *name, uint64_t n)
{
    if (transport_server_count(name) < n)
        fail_msg("fewer than %u %s", (unsigned)n, name);
}

static void hostile_frames_harm_nobody_on_af_xdp(void **state)
{
    check_hostility(*state, "udp://10.77.0.1:9000", TRANSPORT_XDP_PORT, N_FRAMES);
    has_counted("dropped_malformed", 1000);
    has_counted("dropped_fragments", 100);
    has_counted("not_ours", 1000);
    has_counted("malformed", 1000);
    has_counted("too_large", 10);
}

static void hostile_frames_harm_nobody_on_sockets(void **state)
{
    uint64_t n_not_ours = transport_server_count("not_ours");
    check_hostility(*state, "udp://10.77.0.1:9001", TRANSPORT_UDP_PORT, N_TO_SOCKETS);
    assert_true(transport_server_count("not_ours") > n_not_ours + 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_frames_harm_nobody_on_af_xdp),
        cmocka_unit_test(hostile_frames_harm_nobody_on_sockets),
    };
    veth_require();
    return test_service_has_device() ? cmocka_run_group_tests(tests, setup, teardown) : TEST_SKIPPED;
}
