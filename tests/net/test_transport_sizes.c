/* Datagrams of every size that the network and the protocol know. */
#include "transport_fixture.h"

#include "wire/layout.h"
#include "wire/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    N_FULL_ITEMS = (WIRE_MAX_BYTES - WIRE_HEADER_BYTES - WIRE_REQUEST_BYTES) / 4,
    N_FULL_HITS = (WIRE_MAX_BYTES - WIRE_HEADER_BYTES - WIRE_RESPONSE_BYTES) / 8,
    ROOM_BYTES = 8192,
    MAX_IPV4_BYTES = 1500 - 20 - 8, /* of an unfragmented datagram */
    ID = 77,
};

static const struct {
    const char *host;
    unsigned port;
} places[] = {{VETH_NEAR_IPV4, TRANSPORT_XDP_PORT},
              {VETH_NEAR_IPV6, TRANSPORT_XDP_PORT},
              {VETH_NEAR_IPV4, TRANSPORT_UDP_PORT},
              {VETH_NEAR_IPV6, TRANSPORT_UDP_PORT}};
enum { XDP_IPV4, XDP_IPV6, UDP_IPV4, UDP_IPV6, N_PLACES };

static uint64_t items[N_FULL_ITEMS]; /* item i is i */

static int setup(void **state)
{
    static struct transport_server s;
    transport_server_start(&(struct transport_server_options){.spec = &test_service_model, .n_queues = 1},
                           &s);
    for (size_t i = 0; i < N_FULL_ITEMS; i++)
        items[i] = i;
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    transport_server_stop(*state);
    return 0;
}

static int reach(const struct transport_server *s, size_t place)
{
    return veth_connect(&s->veth, VETH_FAR, places[place].host, places[place].port);
}

static size_t write_request(const struct wire_request_fields *fields, uint8_t *bytes)
{
    struct wire_writer w;
    wire_begin(&w, bytes, ROOM_BYTES, WIRE_REQUESTS);
    assert_int_equal(wire_put_request(&w, fields), WIRE_OK);
    return wire_finish(&w, NULL);
}

/* Sends, and reads the one answer. bytes: (ROOM_BYTES), in and out. */
static struct wire_response exchange(int fd, uint8_t *bytes, size_t *n_bytes)
{
    struct wire_reader reader;
    struct wire_response response = {0};
    enum wire_code code;
    assert_int_equal(send(fd, bytes, *n_bytes, 0), *n_bytes);
    ssize_t n = recv(fd, bytes, ROOM_BYTES, 0);
    if (n < 0)
        fail_msg("no answer to %zu bytes: %s", *n_bytes, strerror(errno));
    *n_bytes = (size_t)n;
    assert_int_equal(wire_open(bytes, (size_t)n, WIRE_RESPONSES, NULL, &reader), WIRE_ACCEPTED);
    assert_true(wire_next_response(&reader, &response, &code));
    assert_int_equal(code, WIRE_OK);
    assert_int_equal(response.id, ID);
    return response;
}

static void ping(int fd)
{
    uint8_t bytes[ROOM_BYTES];
    const struct wire_request_fields fields = {.id = ID, .kind = WIRE_PING};
    size_t n_bytes = write_request(&fields, bytes);
    assert_int_equal(exchange(fd, bytes, &n_bytes).code, WIRE_OK);
}

static void check_full_request(const struct transport_server *s, int fd)
{
    uint8_t bytes[ROOM_BYTES];
    float truth[N_FULL_ITEMS];
    struct collide_id user = collide_id_number(3), ids[N_FULL_ITEMS];
    for (size_t i = 0; i < N_FULL_ITEMS; i++)
        ids[i] = collide_id_number(items[i]);
    const struct collide_query query = {.user = &user, .items = ids, .n_items = N_FULL_ITEMS};
    assert_int_equal(collide_score(s->service.lane, &query, 1, truth, NULL, NULL), COLLIDE_OK);
    const struct wire_request_fields fields = {.id = ID,
                                               .kind = WIRE_SCORE,
                                               .flags = WIRE_HAS_USER,
                                               .user = 3,
                                               .items = items,
                                               .n_items = N_FULL_ITEMS};
    size_t n_bytes = write_request(&fields, bytes);
    assert_int_equal(n_bytes, WIRE_MAX_BYTES);
    struct wire_response response = exchange(fd, bytes, &n_bytes);
    assert_int_equal(response.code, WIRE_OK);
    assert_int_equal(response.n_results, N_FULL_ITEMS);
    for (size_t i = 0; i < N_FULL_ITEMS; i++)
        assert_true(wire_score(&response, i) == truth[i]);
}

static void check_full_answer(const struct transport_server *s, int fd)
{
    uint8_t bytes[ROOM_BYTES];
    struct collide_id user = collide_id_number(3);
    struct collide_hit hits[N_FULL_HITS];
    size_t n_hits;
    const struct collide_topk_query query = {.query = {.user = &user}, .k = N_FULL_HITS};
    assert_int_equal(collide_topk(s->service.lane, &query, 1, hits, &n_hits, NULL, NULL), COLLIDE_OK);
    const struct wire_request_fields fields = {
        .id = ID, .kind = WIRE_TOPK, .flags = WIRE_HAS_USER, .user = 3, .k = N_FULL_HITS};
    size_t n_bytes = write_request(&fields, bytes);
    struct wire_response response = exchange(fd, bytes, &n_bytes);
    assert_int_equal(response.code, WIRE_OK);
    assert_int_equal(response.n_results, n_hits);
    assert_int_equal(n_bytes, WIRE_MAX_BYTES);
    for (size_t i = 0; i < n_hits; i++)
        assert_int_equal(wire_id(&response.hits, i), hits[i].item.number);
}

static void requests_and_answers_of_all_bytes_that_fit_are_served(void **state)
{
    for (size_t p = 0; p < N_PLACES; p++) {
        int fd = reach(*state, p);
        check_full_request(*state, fd);
        check_full_answer(*state, fd);
        close(fd);
    }
    transport_server_check_frames();
}

/* No writer makes one that is too large: of one that is full, the lengths are changed. */
static void write_too_large(uint8_t *bytes, size_t n_bytes)
{
    const struct wire_request_fields fields = {
        .id = ID, .kind = WIRE_SCORE, .flags = WIRE_HAS_USER, .items = items, .n_items = N_FULL_ITEMS};
    memset(bytes, 0, ROOM_BYTES);
    write_request(&fields, bytes);
    store_le16(bytes + HEADER_N_BYTES, (uint16_t)n_bytes);
    store_le16(bytes + WIRE_HEADER_BYTES + MESSAGE_N_BYTES, (uint16_t)(n_bytes - WIRE_HEADER_BYTES));
}

static void is_refused_as_too_large(const struct transport_server *s, size_t place, size_t n_bytes)
{
    uint8_t bytes[ROOM_BYTES];
    uint64_t n_before = transport_server_count("too_large");
    int fd = reach(s, place);
    write_too_large(bytes, n_bytes);
    assert_int_equal(exchange(fd, bytes, &n_bytes).code, WIRE_TOO_LARGE);
    assert_int_equal(transport_server_count("too_large"), n_before + 1);
    ping(fd);
    close(fd);
}

static void a_datagram_of_too_many_bytes_is_refused_as_too_large(void **state)
{
    is_refused_as_too_large(*state, XDP_IPV4, WIRE_MAX_BYTES + 8);
    is_refused_as_too_large(*state, XDP_IPV4, MAX_IPV4_BYTES);
    is_refused_as_too_large(*state, UDP_IPV4, WIRE_MAX_BYTES + 8);
    is_refused_as_too_large(*state, UDP_IPV6, WIRE_MAX_BYTES + 8);
    transport_server_check_frames();
}

static void sockets_refuse_what_came_in_fragments_as_too_large(void **state)
{
    static const size_t sizes[] = {MAX_IPV4_BYTES + 8, 2048, 2056, ROOM_BYTES};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        is_refused_as_too_large(*state, UDP_IPV4, sizes[i]);
        is_refused_as_too_large(*state, UDP_IPV6, sizes[i]);
    }
}

static void af_xdp_drops_and_counts_fragments_of_ipv4(void **state)
{
    enum { N = 5 };
    uint8_t bytes[ROOM_BYTES];
    uint64_t n_before = transport_server_count("dropped_fragments");
    int fd = reach(*state, XDP_IPV4);
    for (size_t i = 0; i < N; i++) {
        size_t n_bytes = MAX_IPV4_BYTES + 8 + i * 1600;
        n_bytes = n_bytes < ROOM_BYTES ? n_bytes : ROOM_BYTES;
        write_too_large(bytes, n_bytes);
        assert_int_equal(send(fd, bytes, n_bytes, 0), n_bytes);
    }
    ping(fd);
    assert_int_equal(transport_server_count("dropped_fragments"), n_before + N);
    close(fd);
    transport_server_check_frames();
}

/* Fragments of IPv6 are the kernel's, where nothing listens at the port: it says so. */
static void fragments_of_ipv6_are_refused_by_the_kernel(void **state)
{
    uint8_t bytes[ROOM_BYTES];
    int fd = reach(*state, XDP_IPV6);
    write_too_large(bytes, 4000);
    int failed = 0;
    for (int i = 0; i < 10 && failed != ECONNREFUSED; i++) { /* it says so not too often */
        send(fd, bytes, 4000, 0);
        failed = recv(fd, bytes, sizeof bytes, 0) < 0 ? errno : 0;
    }
    assert_int_equal(failed, ECONNREFUSED);
    ping(fd);
    close(fd);
    transport_server_check_frames();
}

static void set_mtu(const struct transport_server *s, unsigned mtu)
{
    for (enum veth_side side = VETH_NEAR; side <= VETH_FAR; side++)
        assert_int_equal(veth_run(&s->veth, side, "ip link set " VETH_INTERFACE " mtu %u", mtu), 0);
}

/* The least that IPv6 knows, set while the server runs; at its start AF_XDP refuses it. */
static void with_an_mtu_of_1280_sockets_serve_all_and_af_xdp_what_fits(void **state)
{
    struct transport_server *s = *state;
    set_mtu(s, 1280);
    for (size_t p = UDP_IPV4; p <= UDP_IPV6; p++) {
        int fd = reach(s, p);
        check_full_request(s, fd);
        check_full_answer(s, fd);
        close(fd);
    }
    for (size_t p = XDP_IPV4; p <= XDP_IPV6; p++) {
        int fd = reach(s, p);
        ping(fd);
        close(fd);
    }
    transport_server_check_frames();
    set_mtu(s, 1500);
    for (size_t p = XDP_IPV4; p <= XDP_IPV6; p++) {
        int fd = reach(s, p);
        check_full_request(s, fd);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_answers_of_all_bytes_that_fit_are_served),
        cmocka_unit_test(a_datagram_of_too_many_bytes_is_refused_as_too_large),
        cmocka_unit_test(sockets_refuse_what_came_in_fragments_as_too_large),
        cmocka_unit_test(af_xdp_drops_and_counts_fragments_of_ipv4),
        cmocka_unit_test(fragments_of_ipv6_are_refused_by_the_kernel),
        cmocka_unit_test(with_an_mtu_of_1280_sockets_serve_all_and_af_xdp_what_fits),
    };
    veth_require();
    return test_service_has_device() ? cmocka_run_group_tests(tests, setup, teardown) : TEST_SKIPPED;
}
