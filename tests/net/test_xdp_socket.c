/* Frames through AF_XDP sockets over a virtual pair: echoed, counted, let go. */
#include "base/rng.h"
#include "net/frame_echo.h"
#include "net/packet_socket.h"
#include "xdp/frame_draft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_BYTES = 1448, N_FLOWS = 32, KERNEL_PORT = 9101 };

static const struct frame_echo_options plain = {.mode = REDIRECT_BEST, .n_queues = 1};

static struct veth veth; /* of the running test */

static int make_pair(void **state)
{
    (void)state;
    veth_create(&veth, 1);
    return 0;
}

static int make_pair_of_two_queues(void **state)
{
    (void)state;
    veth_create(&veth, 2);
    return 0;
}

static int remove_pair(void **state)
{
    (void)state;
    veth_destroy(&veth);
    return 0;
}

static void start(struct frame_echo *e, const struct frame_echo_options *options)
{
    frame_echo_start(e, &veth, options);
    if (e->state->status != COLLIDE_OK)
        fail_msg("%s", e->state->error.text);
}

static void every_frame_is_found(const struct frame_echo *e, unsigned n_queues)
{
    for (unsigned i = 0; i < n_queues; i++) {
        const struct xdp_census *c = &e->state->census[i];
        assert_int_equal(xdp_census_found(c), c->n_frames);
        assert_int_equal(c->in_hand, 0);
    }
}

static void comes_back(int fd, const uint8_t *sent, size_t n)
{
    uint8_t got[2048];
    assert_int_equal(send(fd, sent, n, 0), n);
    assert_int_equal(recv(fd, got, sizeof got, 0), n);
    assert_memory_equal(got, sent, n);
}

static void all_lengths_come_back(const char *host)
{
    uint8_t sent[MAX_BYTES];
    struct rng rng = rng_seeded(1, 1);
    int fd = veth_connect(&veth, VETH_NEAR, host, ECHO_PORT);
    for (size_t n = 0; n <= MAX_BYTES; n = n < 40 || n > 1430 ? n + 1 : n + 97) {
        for (size_t i = 0; i < n; i++)
            sent[i] = (uint8_t)rng_u64(&rng);
        comes_back(fd, sent, n);
    }
    close(fd);
}

static void echo_over_both_protocols(const struct frame_echo_options *options)
{
    struct frame_echo e;
    start(&e, options);
    assert_int_equal(e.state->mode, options->mode);
    all_lengths_come_back(VETH_FAR_IPV4);
    all_lengths_come_back(VETH_FAR_IPV6);
    frame_echo_stop(&e);
    assert_true(e.state->n_echoed[0] > 100);
    assert_int_equal(e.state->n_stamped, e.state->n_echoed[0]);
    assert_int_equal(e.state->n_refused, 0);
    every_frame_is_found(&e, 1);
    frame_echo_free(&e);
}

/* The kernel leaves its checksums to the pair, which finishes none. */
static void unfinished_checksums_are_taken_and_answers_have_right_ones(void **state)
{
    (void)state;
    echo_over_both_protocols(&(struct frame_echo_options){.mode = REDIRECT_NATIVE, .n_queues = 1});
}

static void finished_checksums_are_taken(void **state)
{
    (void)state;
    assert_int_equal(veth_run(&veth, VETH_NEAR, "ethtool -K " VETH_INTERFACE " tx off >/dev/null"), 0);
    echo_over_both_protocols(
        &(struct frame_echo_options){.mode = REDIRECT_NATIVE, .n_queues = 1, .wait = ECHO_SLEEPS});
}

static void generic_mode_echoes_too(void **state)
{
    (void)state;
    echo_over_both_protocols(&(struct frame_echo_options){.mode = REDIRECT_GENERIC, .n_queues = 1});
}

static void a_busy_polled_driver_echoes_too(void **state)
{
    (void)state;
    echo_over_both_protocols(
        &(struct frame_echo_options){.mode = REDIRECT_NATIVE, .n_queues = 1, .busy_poll_us = 20});
}

static void comes_back_as_frame(int fd, const struct frame_draft *d)
{
    uint8_t bytes[2048];
    size_t n = frame_draft_write(d, bytes);
    assert_int_equal(send(fd, bytes, n, 0), n);
    n = packet_receive(fd, d->source_mac, bytes, sizeof bytes);
    const char *wrong = frame_draft_find_wrong(d, bytes, n, d->payload, d->n_payload);
    if (wrong)
        fail_msg("tag %u, %zu bytes of options, IPv%u: %s", d->tag, d->n_option_bytes, d->ip_version, wrong);
}

static void tags_come_back_and_options_do_not(void **state)
{
    (void)state;
    struct frame_echo e;
    uint8_t payload[100];
    struct frame_draft d = {.source_port = 5555, .destination_port = ECHO_PORT, .payload = payload};
    memset(payload, 3, sizeof payload);
    packet_read_mac(&veth, VETH_NEAR, d.source_mac);
    packet_read_mac(&veth, VETH_FAR, d.destination_mac);
    d.n_payload = sizeof payload;
    int fd = packet_open(&veth, VETH_NEAR);
    start(&e, &plain);
    for (d.ip_version = 4; d.ip_version <= 6; d.ip_version += 2) {
        bool ipv4 = d.ip_version == 4;
        inet_pton(ipv4 ? AF_INET : AF_INET6, ipv4 ? VETH_NEAR_IPV4 : VETH_NEAR_IPV6, d.source);
        inet_pton(ipv4 ? AF_INET : AF_INET6, ipv4 ? VETH_FAR_IPV4 : VETH_FAR_IPV6, d.destination);
        for (d.tag = 0; d.tag <= 7; d.tag += 7)
            for (d.n_option_bytes = 0; d.n_option_bytes <= (ipv4 ? 40 : 0); d.n_option_bytes += 20)
                comes_back_as_frame(fd, &d);
    }
    close(fd);
    frame_echo_stop(&e);
    assert_int_equal(e.state->n_echoed[0], 8);
    every_frame_is_found(&e, 1);
    frame_echo_free(&e);
}

static void a_kernel_socket_hears(unsigned port)
{
    uint8_t byte = 7;
    int to = veth_connect(&veth, VETH_NEAR, VETH_FAR_IPV4, port);
    send(to, &byte, 1, 0);
    byte = 0;
    recv(to, &byte, 1, 0);
    assert_int_equal(errno, ECONNREFUSED); /* by the far kernel: nobody listens */
    close(to);
}

static void other_traffic_is_the_kernels(void **state)
{
    (void)state;
    struct frame_echo e;
    start(&e, &plain);
    assert_int_equal(veth_run(&veth, VETH_NEAR, "ip neigh flush all"), 0);
    assert_int_equal(veth_run(&veth, VETH_NEAR, "ping -c 2 -i 0.1 -W 2 " VETH_FAR_IPV4 " >/dev/null"), 0);
    assert_int_equal(veth_run(&veth, VETH_NEAR, "ping -c 2 -i 0.1 -W 2 " VETH_FAR_IPV6 " >/dev/null"), 0);
    a_kernel_socket_hears(KERNEL_PORT);
    frame_echo_stop(&e);
    assert_int_equal(e.state->n_echoed[0] + e.state->n_refused, 0);
    frame_echo_free(&e);
}

static void fragments_are_dropped_and_counted(void **state)
{
    (void)state;
    struct frame_echo e;
    uint8_t bytes[4000] = {0};
    start(&e, &plain);
    int fd = veth_connect(&veth, VETH_NEAR, VETH_FAR_IPV4, ECHO_PORT);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
    comes_back(fd, bytes, 100);
    close(fd);
    frame_echo_stop(&e);
    assert_int_equal(e.state->n_fragments, 5);
    assert_int_equal(e.state->n_echoed[0], 1);
    frame_echo_free(&e);
}

static int is_attached(void)
{
    return veth_run(&veth, VETH_FAR, "ip link show dev " VETH_INTERFACE " | grep -q xdp") == 0;
}

static void the_program_goes_with_its_process(void **state)
{
    (void)state;
    void (*const ends[])(struct frame_echo *) = {frame_echo_stop, frame_echo_kill, frame_echo_stop};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct frame_echo e;
        uint8_t byte = 1;
        assert_false(is_attached());
        start(&e, &plain);
        assert_true(is_attached());
        int fd = veth_connect(&veth, VETH_NEAR, VETH_FAR_IPV4, ECHO_PORT);
        comes_back(fd, &byte, 1);
        close(fd);
        ends[i](&e);
        frame_echo_free(&e);
    }
    assert_false(is_attached());
}

static void a_second_program_is_refused(void **state)
{
    (void)state;
    struct frame_echo first, second;
    start(&first, &plain);
    frame_echo_start(&second, &veth, &plain);
    assert_int_equal(second.state->status, COLLIDE_BUSY);
    assert_non_null(strstr(second.state->error.text, "ip link show dev " VETH_INTERFACE));
    frame_echo_stop(&second);
    frame_echo_free(&second);
    frame_echo_stop(&first);
    frame_echo_free(&first);
}

/* Flows are spread over queues by their ports. The number of them that is answered; the others are refused.
 */
static unsigned n_flows_answered(void)
{
    unsigned n = 0;
    for (int i = 0; i < N_FLOWS; i++) {
        uint8_t byte = (uint8_t)i, got = 255;
        int fd = veth_connect(&veth, VETH_NEAR, VETH_FAR_IPV4, ECHO_PORT);
        send(fd, &byte, 1, 0);
        if (recv(fd, &got, 1, 0) == 1) {
            assert_int_equal(got, byte);
            n++;
        } else {
            assert_int_equal(errno, ECONNREFUSED);
        }
        close(fd);
    }
    return n;
}

/* Not one of 32 flows at a queue: 2^-32 each. */
static void two_queues_share_the_flows(void **state)
{
    (void)state;
    struct frame_echo e;
    start(&e, &(struct frame_echo_options){.mode = REDIRECT_BEST, .n_queues = 2});
    assert_int_equal(n_flows_answered(), N_FLOWS);
    frame_echo_stop(&e);
    assert_true(e.state->n_echoed[0] > 0 && e.state->n_echoed[1] > 0);
    assert_int_equal(e.state->n_echoed[0] + e.state->n_echoed[1], N_FLOWS);
    every_frame_is_found(&e, 2);
    frame_echo_free(&e);
}

static void a_queue_without_a_socket_is_the_kernels(void **state)
{
    (void)state;
    struct frame_echo e;
    assert_int_equal(veth_run(&veth, VETH_FAR, "sysctl -q net.ipv4.icmp_ratelimit=0"), 0);
    start(&e, &plain);
    unsigned n = n_flows_answered();
    frame_echo_stop(&e);
    assert_in_range(n, 1, N_FLOWS - 1);
    assert_int_equal(e.state->n_echoed[0], n);
    frame_echo_free(&e);
}

/* More at once than there are frames: some may be lost, none may leak. */
static void floods_leave_every_frame_in_its_place(void **state)
{
    (void)state;
    struct frame_echo e;
    uint8_t bytes[200] = {0};
    start(&e, &plain);
    int fd = veth_connect(&veth, VETH_NEAR, VETH_FAR_IPV4, ECHO_PORT);
    for (int i = 0; i < 20000; i++)
        send(fd, bytes, sizeof bytes, 0);
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        ;
    comes_back(fd, bytes, 100);
    close(fd);
    frame_echo_stop(&e);
    assert_true(e.state->n_echoed[0] > 1000);
    every_frame_is_found(&e, 1);
    frame_echo_free(&e);
}

/* In the echo's process, which must not go on with the tests. */
static void keep_capabilities(const cap_value_t *kept, int n)
{
    cap_t own = cap_init();
    if (n > 0 && (cap_set_flag(own, CAP_PERMITTED, n, kept, CAP_SET) ||
                  cap_set_flag(own, CAP_EFFECTIVE, n, kept, CAP_SET)))
        abort();
    if (cap_set_proc(own) != 0)
        abort();
    cap_free(own);
}

static void keep_what_is_needed(void)
{
    static const cap_value_t needed[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, CAP_IPC_LOCK};
    keep_capabilities(needed, sizeof needed / sizeof needed[0]);
}

static void keep_nothing(void)
{
    keep_capabilities(NULL, 0);
}

static void lock_no_memory(void)
{
    static const cap_value_t kept[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF};
    const struct rlimit limit = {4096, 4096};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        abort();
    keep_capabilities(kept, sizeof kept / sizeof kept[0]);
}

static void four_capabilities_are_enough(void **state)
{
    (void)state;
    struct frame_echo e;
    uint8_t byte = 1;
    struct frame_echo_options options = plain;
    options.before = keep_what_is_needed;
    start(&e, &options);
    int fd = veth_connect(&veth, VETH_NEAR, VETH_FAR_IPV4, ECHO_PORT);
    comes_back(fd, &byte, 1);
    close(fd);
    frame_echo_stop(&e);
    frame_echo_free(&e);
}

static void is_refused_with(void (*before)(void), const char *text)
{
    struct frame_echo e;
    struct frame_echo_options options = plain;
    options.before = before;
    frame_echo_start(&e, &veth, &options);
    assert_int_equal(e.state->status, COLLIDE_UNSUPPORTED);
    if (!strstr(e.state->error.text, text))
        fail_msg("no \"%s\" in: %s", text, e.state->error.text);
    assert_non_null(strstr(e.state->error.text, "setcap cap_net_admin,cap_net_raw,cap_bpf,cap_ipc_lock+ep"));
    frame_echo_stop(&e);
    frame_echo_free(&e);
}

static void missing_privileges_are_named(void **state)
{
    (void)state;
    is_refused_with(keep_nothing, "not permitted to load the XDP program on " VETH_INTERFACE);
    is_refused_with(lock_no_memory, "the limit is 4 KiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unfinished_checksums_are_taken_and_answers_have_right_ones, make_pair,
                                        remove_pair),
        cmocka_unit_test_setup_teardown(finished_checksums_are_taken, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(generic_mode_echoes_too, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(a_busy_polled_driver_echoes_too, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(tags_come_back_and_options_do_not, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(other_traffic_is_the_kernels, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(fragments_are_dropped_and_counted, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(the_program_goes_with_its_process, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(a_second_program_is_refused, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(two_queues_share_the_flows, make_pair_of_two_queues, remove_pair),
        cmocka_unit_test_setup_teardown(a_queue_without_a_socket_is_the_kernels, make_pair_of_two_queues,
                                        remove_pair),
        cmocka_unit_test_setup_teardown(floods_leave_every_frame_in_its_place, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(four_capabilities_are_enough, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(missing_privileges_are_named, make_pair, remove_pair),
    };
    veth_require();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
