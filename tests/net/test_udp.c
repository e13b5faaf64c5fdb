#include "net/udp.h"

#include "collide/client.h"
#include "net/echo_client.h"
#include "net/echo_service.h"
#include "wire/wire.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct udp_server *serve(struct echo_service *e, const char *listen, enum poll_policy poll)
{
    struct udp_options options = {.listen = listen, .n_threads = 2, .poll = poll};
    struct udp_server *server;
    struct collide_error err;
    *e = (struct echo_service){0};
    if (udp_server_create(echo_as_service(e), &options, &server, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return server;
}

static struct channel *reach(const char *address, enum channel_wait wait)
{
    struct channel *c;
    struct collide_error err;
    if (channel_udp_create(address, wait, &c, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return c;
}

static unsigned port_of(const struct udp_server *u)
{
    unsigned port;
    assert_int_equal(sscanf(strrchr(udp_server_address(u), ':'), ":%u", &port), 1);
    return port;
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool is_there = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (fd >= 0)
        close(fd);
    return is_there;
}

static void answers_go_to_who_asked_however_both_ends_wait(void **state)
{
    (void)state;
    static const enum poll_policy policies[] = {POLL_SLEEP, POLL_ADAPTIVE, POLL_SPIN};
    for (size_t i = 0; i < 3; i++) {
        struct echo_service e;
        struct udp_server *server = serve(&e, "127.0.0.1:0", policies[i]);
        struct channel *a = reach(udp_server_address(server), CHANNEL_SLEEP);
        struct channel *b = reach(udp_server_address(server), CHANNEL_SPIN);
        for (uint64_t k = 0; k < 50; k++) {
            echo_send(a, k, 8 + k);
            echo_send(b, 1000 + k, WIRE_MAX_BYTES);
            echo_receive(a, k, 8 + k);
            echo_receive(b, 1000 + k, WIRE_MAX_BYTES);
        }
        echo_many(a, 2000, 32);
        assert_int_equal(atomic_load(&e.n_datagrams), 2100);
        a->make->destroy(a);
        b->make->destroy(b);
        udp_server_destroy(server);
    }
}

static void ipv6_is_served(void **state)
{
    (void)state;
    struct echo_service e;
    if (!has_ipv6())
        skip();
    struct udp_server *server = serve(&e, "[::1]:0", POLL_SLEEP);
    struct channel *c = reach(udp_server_address(server), CHANNEL_SLEEP);
    echo_many(c, 100, 8);
    c->make->destroy(c);
    udp_server_destroy(server);
}

/* A connected client hears only the address that it asked. */
static void a_wildcard_answers_from_the_address_that_was_asked(void **state)
{
    (void)state;
    static const char *const listens[] = {"0.0.0.0:0", "[::]:0"};
    for (size_t i = 0; i < (has_ipv6() ? 2 : 1); i++) {
        struct echo_service e;
        char address[64];
        struct udp_server *server = serve(&e, listens[i], POLL_SLEEP);
        snprintf(address, sizeof address, "127.0.0.7:%u", port_of(server));
        struct channel *c = reach(address, CHANNEL_SLEEP);
        echo_many(c, 100, 8);
        c->make->destroy(c);
        if (i == 1) {
            snprintf(address, sizeof address, "[::1]:%u", port_of(server));
            c = reach(address, CHANNEL_SLEEP);
            echo_many(c, 100, 8);
            c->make->destroy(c);
        }
        udp_server_destroy(server);
    }
}

/* localhost may be [::1] first, where nothing listens. */
static void a_name_with_several_addresses_finds_the_one_that_answers(void **state)
{
    (void)state;
    struct echo_service e;
    char address[64];
    struct udp_server *server = serve(&e, "127.0.0.1:0", POLL_SLEEP);
    snprintf(address, sizeof address, "localhost:%u", port_of(server));
    struct channel *c = reach(address, CHANNEL_SLEEP);
    echo_many(c, 10, 1);
    c->make->destroy(c);
    udp_server_destroy(server);
}

static void many_clients_are_spread_over_the_threads(void **state)
{
    (void)state;
    struct echo_service e;
    struct udp_server *server = serve(&e, "127.0.0.1:0", POLL_SLEEP);
    for (uint64_t i = 0; i < 64; i++) {
        struct channel *c = reach(udp_server_address(server), CHANNEL_SLEEP);
        echo_send(c, i, 100);
        echo_receive(c, i, 100);
        c->make->destroy(c);
    }
    assert_int_equal(atomic_load(&e.n_workers), 3);
    udp_server_destroy(server);
}

static void what_waits_in_the_kernel_is_counted_as_waiting(void **state)
{
    (void)state;
    struct echo_service e;
    struct udp_server *server = serve(&e, "127.0.0.1:0", POLL_SPIN);
    struct channel *c = reach(udp_server_address(server), CHANNEL_SLEEP);
    echo_many(c, 100, 1);
    assert_true(atomic_load(&e.oldest_ns) > 0);
    atomic_store(&e.oldest_ns, 0);
    atomic_store(&e.pause_us, 30000);
    echo_send(c, 0, 8);
    usleep(10000);
    echo_send(c, 1, 8); /* 20 ms before the first is answered */
    echo_receive(c, 0, 8);
    echo_receive(c, 1, 8);
    assert_in_range(atomic_load(&e.oldest_ns), 45000000, 10000000000);
    c->make->destroy(c);
    udp_server_destroy(server);
}

static int bare_socket(const struct udp_server *server)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port_of(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void sizes_that_no_datagram_has_harm_nobody(void **state)
{
    (void)state;
    static uint8_t bytes[65507];
    struct echo_service e;
    struct udp_server *server = serve(&e, "127.0.0.1:0", POLL_SLEEP);
    struct channel *c = reach(udp_server_address(server), CHANNEL_SLEEP);
    int fd = bare_socket(server);
    static const size_t sizes[] = {0, 1, 2047, 2048, 2049, 9000, sizeof bytes};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(send(fd, bytes, sizes[i], 0), sizes[i]);
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(recv(fd, bytes, sizeof bytes, 0), sizes[i] < 2048 ? sizes[i] : 2048);
    echo_many(c, 100, 8);
    close(fd);
    c->make->destroy(c);
    udp_server_destroy(server);
}

static void silence_is_no_answer(void **state)
{
    (void)state;
    struct echo_service e;
    struct udp_server *server = serve(&e, "127.0.0.1:0", POLL_SLEEP);
    int fd = bare_socket(server);
    uint8_t bytes[] = {ECHO_SILENCE, 2, 3};
    assert_int_equal(send(fd, bytes, 3, 0), 3);
    bytes[0] = 7;
    assert_int_equal(send(fd, bytes, 3, 0), 3);
    assert_int_equal(recv(fd, bytes, 3, 0), 3);
    assert_int_equal(bytes[0], 7 ^ 0xff);
    close(fd);
    udp_server_destroy(server);
}

/* A source port of 0 can be sent from, by a raw socket, but not to. */
static void an_answer_that_cannot_be_sent_is_counted(void **state)
{
    (void)state;
    struct echo_service e;
    struct udp_counts counts = {0};
    int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    if (raw < 0)
        skip();
    struct udp_server *server = serve(&e, "127.0.0.1:0", POLL_SLEEP);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint16_t datagram[] = {0, htons((uint16_t)port_of(server)), htons(12), 0, 1, 2};
    assert_int_equal(sendto(raw, datagram, sizeof datagram, 0, (struct sockaddr *)&to, sizeof to), 12);
    for (int i = 0; i < 1000 && counts.n_not_sent == 0; i++) {
        usleep(10000);
        udp_server_counts(server, &counts);
    }
    assert_int_equal(counts.n_not_sent, 1);
    struct channel *c = reach(udp_server_address(server), CHANNEL_SLEEP);
    echo_many(c, 10, 1);
    close(raw);
    c->make->destroy(c);
    udp_server_destroy(server);
}

static void a_server_that_was_killed_is_missed_and_its_successor_found(void **state)
{
    (void)state;
    struct echo_service e;
    struct collide_error err;
    char address[80];
    struct udp_server *server = serve(&e, "127.0.0.1:0", POLL_SLEEP);
    snprintf(address, sizeof address, "%s", udp_server_address(server));
    udp_server_destroy(server);

    struct channel *c = reach(address, CHANNEL_SLEEP);
    echo_send(c, 0, 8);
    assert_true(echo_sees_end(c, &err));
    assert_non_null(strstr(err.text, "start `collide serve --udp 127.0.0.1:"));
    echo_send(c, 1, 8);
    echo_send(c, 2, 8); /* the refusal of the one before is not this one's */

    server = serve(&e, address, POLL_SLEEP);
    const uint8_t *bytes;
    size_t n;
    c->make->receive(c, 0, &bytes, &n, &err);
    echo_many(c, 10, 1);
    c->make->destroy(c);
    udp_server_destroy(server);
}

static int listening_socket(char *url, size_t capacity)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 5};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    snprintf(url, capacity, "udp://127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

static enum collide_status ask_for(struct collide_client *client, const uint64_t *items, size_t n_items)
{
    return collide_client_submit(client, &(struct collide_request){.items = items, .n_items = n_items}, 0,
                                 NULL);
}

/* The item of the only request of the next datagram. */
static uint64_t asked_item(int fd)
{
    _Alignas(8) uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_reader reader;
    struct wire_request request;
    enum wire_code code;
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    assert_true(n > 0);
    assert_int_equal(wire_open(bytes, (size_t)n, WIRE_REQUESTS, NULL, &reader), WIRE_ACCEPTED);
    assert_true(wire_next_request(&reader, &request, &code));
    assert_int_equal(request.items.n, 1);
    uint64_t item = wire_id(&request.items, 0);
    assert_false(wire_next_request(&reader, &request, &code));
    return item;
}

static void a_request_that_fits_no_datagram_disturbs_no_other(void **state)
{
    (void)state;
    enum { N_TOO_MANY = 175 };
    static const uint64_t a = 1, b[N_TOO_MANY] = {UINT64_C(1) << 32}, c = 3;
    char url[64];
    struct collide_client *client;
    int fd = listening_socket(url, sizeof url);
    const struct collide_client_options options = {.url = url};
    assert_int_equal(collide_client_create(&options, &client, NULL), COLLIDE_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_for(client, &a, 1), COLLIDE_OK);
        assert_int_equal(ask_for(client, b, N_TOO_MANY), COLLIDE_INVALID);
        assert_int_equal(collide_client_flush(client, NULL), COLLIDE_OK);
        assert_int_equal(ask_for(client, b, N_TOO_MANY), COLLIDE_INVALID);
        assert_int_equal(collide_client_flush(client, NULL), COLLIDE_OK);
        assert_int_equal(ask_for(client, &c, 1), COLLIDE_OK);
        assert_int_equal(collide_client_flush(client, NULL), COLLIDE_OK);
        assert_int_equal(asked_item(fd), a);
        assert_int_equal(asked_item(fd), c);
    }
    assert_true(recv(fd, url, sizeof url, MSG_DONTWAIT) < 0);
    collide_client_destroy(client);
    close(fd);
}

static void a_port_of_another_server_is_in_use(void **state)
{
    (void)state;
    struct echo_service e;
    struct collide_error err;
    struct udp_server *second = NULL, *server = serve(&e, "127.0.0.1:0", POLL_SLEEP);
    struct udp_options options = {.listen = udp_server_address(server), .n_threads = 2};
    assert_int_equal(udp_server_create(echo_as_service(&e), &options, &second, &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "(stop what listens there, or choose another port)"));
    udp_server_destroy(server);
}

static void addresses_that_are_none_are_refused(void **state)
{
    (void)state;
    struct channel *c;
    struct collide_error err;
    assert_int_equal(channel_udp_create("nowhere", CHANNEL_SPIN, &c, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "\"nowhere\" is no address"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_go_to_who_asked_however_both_ends_wait),
        cmocka_unit_test(ipv6_is_served),
        cmocka_unit_test(a_wildcard_answers_from_the_address_that_was_asked),
        cmocka_unit_test(a_name_with_several_addresses_finds_the_one_that_answers),
        cmocka_unit_test(many_clients_are_spread_over_the_threads),
        cmocka_unit_test(what_waits_in_the_kernel_is_counted_as_waiting),
        cmocka_unit_test(sizes_that_no_datagram_has_harm_nobody),
        cmocka_unit_test(silence_is_no_answer),
        cmocka_unit_test(an_answer_that_cannot_be_sent_is_counted),
        cmocka_unit_test(a_server_that_was_killed_is_missed_and_its_successor_found),
        cmocka_unit_test(a_request_that_fits_no_datagram_disturbs_no_other),
        cmocka_unit_test(a_port_of_another_server_is_in_use),
        cmocka_unit_test(addresses_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
