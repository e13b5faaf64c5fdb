/* The AF_XDP server over a virtual pair, with an echo for a service: clients on sockets and on AF_XDP. */
#include "channel_xdp.h"
#include "net/echo_client.h"
#include "net/echo_service.h"
#include "net/packet_socket.h"
#include "net/veth.h"
#include "net/xdp.h"
#include "xdp/frame_draft.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PORT = 9000, N_ECHOES = 5000, DEPTH = 32, N_DROPPED = 4 };

/* In memory that the server's process shares. */
struct shared {
    atomic_int is_ready, stop;
    enum collide_status status;
    struct collide_error error;
    char description[256];
    struct echo_service service;
    struct xdp_counts counts;
    int kept_capabilities;
};

struct server {
    struct shared *shared;
    pid_t process;
};

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

/* Of those that opening a server takes. */
static int count_capabilities(void)
{
    static const cap_value_t taken[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, CAP_IPC_LOCK};
    int n = 0;
    cap_t own = cap_get_proc();
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        for (cap_flag_t set = CAP_EFFECTIVE; set <= CAP_INHERITABLE; set++) {
            cap_flag_value_t has = CAP_CLEAR;
            cap_get_flag(own, taken[i], set, &has);
            n += has == CAP_SET;
        }
    cap_free(own);
    return n;
}

static void serve(struct shared *shared, const char *interface, enum poll_policy poll)
{
    struct xdp_server *x = NULL;
    struct xdp_options options = {.port = PORT, .poll = poll};
    char text[64];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    veth_enter(&veth, VETH_FAR);
    strcpy(text, interface);
    shared->status = xdp_interface_parse(text, &options, &shared->error);
    if (shared->status == COLLIDE_OK)
        shared->status = xdp_server_create(echo_as_service(&shared->service), &options, &x, &shared->error);
    if (x)
        strcpy(shared->description, xdp_server_description(x));
    shared->kept_capabilities = count_capabilities();
    shared->is_ready = 1;
    while (x && !shared->stop)
        usleep(1000);
    if (x)
        xdp_server_counts(x, &shared->counts);
    xdp_server_destroy(x);
}

static void start(struct server *s, const char *interface, enum poll_policy poll)
{
    s->shared = mmap(NULL, sizeof *s->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->shared != MAP_FAILED);
    s->process = fork();
    if (s->process == 0) {
        serve(s->shared, interface, poll);
        _exit(0);
    }
    while (!s->shared->is_ready && waitpid(s->process, NULL, WNOHANG) == 0)
        usleep(1000);
    assert_true(s->shared->is_ready);
}

static void start_well(struct server *s, const char *interface, enum poll_policy poll)
{
    start(s, interface, poll);
    if (s->shared->status != COLLIDE_OK)
        fail_msg("%s", s->shared->error.text);
    assert_int_equal(s->shared->kept_capabilities, 0);
}

static void stop(struct server *s)
{
    int status = 0;
    s->shared->stop = 1;
    assert_int_equal(waitpid(s->process, &status, 0), s->process);
    assert_int_equal(status, 0);
}

static void forget(struct server *s)
{
    munmap(s->shared, sizeof *s->shared);
}

static void ask_many(struct channel *c, size_t depth)
{
    echo_many(c, N_ECHOES, depth);
    c->make->destroy(c);
}

static struct channel *open_udp(const char *address)
{
    struct collide_error err;
    struct channel *c = NULL;
    int home = veth_visit(&veth, VETH_NEAR);
    if (channel_udp_create(address, CHANNEL_SLEEP, &c, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    veth_leave(home);
    return c;
}

static struct channel *open_xdp(const char *address, enum channel_wait wait)
{
    struct collide_error err;
    struct channel *c = NULL;
    int home = veth_visit(&veth, VETH_NEAR);
    if (channel_xdp_create(VETH_INTERFACE, address, wait, &c, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    veth_leave(home);
    return c;
}

static void all_was_answered(const struct shared *shared, uint64_t n)
{
    assert_int_equal(shared->counts.n_received, n);
    assert_int_equal(shared->counts.n_sent, n);
    assert_int_equal(shared->counts.n_dropped_malformed + shared->counts.n_dropped_fragments, 0);
    assert_int_equal(shared->counts.n_frames_found, shared->counts.n_frames);
    assert_int_equal(shared->service.n_datagrams, n);
    assert_in_range(shared->service.oldest_ns, 1, UINT64_C(5000000000)); /* frames bring when they came */
}

static void sockets_are_answered(void **state)
{
    (void)state;
    struct server s;
    for (enum poll_policy poll = POLL_ADAPTIVE; poll <= POLL_SLEEP; poll++) {
        start_well(&s, VETH_INTERFACE, poll);
        assert_string_equal(s.shared->description, VETH_INTERFACE ", queue 0, native, copied");
        ask_many(open_udp(VETH_FAR_IPV4 ":9000"), DEPTH);
        ask_many(open_udp("[" VETH_FAR_IPV6 "]:9000"), 1);
        stop(&s);
        all_was_answered(s.shared, 2 * N_ECHOES);
        assert_int_equal(s.shared->service.n_sharing, 1);
        forget(&s);
    }
}

static void af_xdp_clients_are_answered(void **state)
{
    (void)state;
    struct server s;
    start_well(&s, VETH_INTERFACE ":0", POLL_ADAPTIVE);
    ask_many(open_xdp(VETH_FAR_IPV4 ":9000", CHANNEL_SPIN), DEPTH);
    ask_many(open_xdp("[" VETH_FAR_IPV6 "]:9000", CHANNEL_SLEEP), DEPTH);
    ask_many(open_xdp(VETH_FAR_IPV4 ":9000", CHANNEL_SLEEP), 1);
    stop(&s);
    all_was_answered(s.shared, 3 * N_ECHOES);
    forget(&s);
}

static void two_queues_have_a_thread_each(void **state)
{
    (void)state;
    struct server s;
    start_well(&s, VETH_INTERFACE ":1,0", POLL_SLEEP);
    assert_string_equal(s.shared->description, VETH_INTERFACE ", queues 1 and 0, native, copied");
    for (int flow = 0; flow < 32; flow++) {
        struct channel *c = open_udp(VETH_FAR_IPV4 ":9000");
        echo_many(c, 10, 2);
        c->make->destroy(c);
    }
    stop(&s);
    all_was_answered(s.shared, 320);
    assert_int_equal(s.shared->service.n_workers, 3);
    assert_int_equal(s.shared->service.n_sharing, 3);
    forget(&s);
}

static void malformed_frames_are_dropped_and_counted(void **state)
{
    (void)state;
    struct server s;
    struct frame_draft d = {.ip_version = 4,
                            .source_port = 5555,
                            .destination_port = PORT,
                            .payload = (const uint8_t *)"payload",
                            .n_payload = 7,
                            .udp_checksum = DRAFT_WRONG};
    uint8_t bytes[2048];
    packet_read_mac(&veth, VETH_NEAR, d.source_mac);
    packet_read_mac(&veth, VETH_FAR, d.destination_mac);
    inet_pton(AF_INET, VETH_NEAR_IPV4, d.source);
    inet_pton(AF_INET, VETH_FAR_IPV4, d.destination);
    start_well(&s, VETH_INTERFACE, POLL_SLEEP);
    int fd = packet_open(&veth, VETH_NEAR);
    size_t n = frame_draft_write(&d, bytes);
    for (int i = 0; i < N_DROPPED; i++)
        assert_int_equal(send(fd, bytes, n, 0), n);
    d.udp_checksum = DRAFT_RIGHT;
    d.fragment = 0x2000;
    n = frame_draft_write(&d, bytes);
    assert_int_equal(send(fd, bytes, n, 0), n);
    close(fd);
    ask_many(open_udp(VETH_FAR_IPV4 ":9000"), DEPTH);
    stop(&s);
    assert_int_equal(s.shared->counts.n_dropped_malformed, N_DROPPED);
    assert_int_equal(s.shared->counts.n_dropped_fragments, 1);
    assert_int_equal(s.shared->counts.n_sent, N_ECHOES);
    assert_int_equal(s.shared->counts.n_frames_found, s.shared->counts.n_frames);
    forget(&s);
}

static void is_refused(const char *interface, enum collide_status status, const char *text)
{
    struct server s;
    start(&s, interface, POLL_SLEEP);
    assert_int_equal(s.shared->status, status);
    if (!strstr(s.shared->error.text, text))
        fail_msg("no \"%s\" in: %s", text, s.shared->error.text);
    stop(&s);
    forget(&s);
}

static void what_cannot_be_served_is_refused_with_a_remedy(void **state)
{
    (void)state;
    is_refused("nowhere0", COLLIDE_NOT_FOUND, "no network interface \"nowhere0\"");
    is_refused(VETH_INTERFACE ":1", COLLIDE_INVALID,
               "has no queue 1: it has 1, see `ethtool -l " VETH_INTERFACE "`");
    assert_int_equal(veth_run(&veth, VETH_FAR, "ip link set " VETH_INTERFACE " mtu 1400"), 0);
    is_refused(VETH_INTERFACE, COLLIDE_UNSUPPORTED, "`ip link set dev " VETH_INTERFACE " mtu 1500`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sockets_are_answered, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(af_xdp_clients_are_answered, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(two_queues_have_a_thread_each, make_pair_of_two_queues, remove_pair),
        cmocka_unit_test_setup_teardown(malformed_frames_are_dropped_and_counted, make_pair, remove_pair),
        cmocka_unit_test_setup_teardown(what_cannot_be_served_is_refused_with_a_remedy, make_pair,
                                        remove_pair),
    };
    veth_require();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
