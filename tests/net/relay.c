#include "net/relay.h"

#include "base/clock.h"
#include "xdp/frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TO_BEYOND "veth1" /* in the far namespace */

enum { DELAY_NS = 3000000, SOCKET_BYTES = 8 << 20, ETHERNET_BYTES = 14, N_WAITING_MS = 1, N_IDLE_MS = 20 };

static bool happens(struct relay *r, unsigned percent)
{
    return rng_below(&r->rng, 100) < percent;
}

static uint32_t be16(const uint8_t *at)
{
    return (uint32_t)(at[0] << 8 | at[1]);
}

/* A broken frame whose checksum is this passes for one that its sender left unfinished: no receiver that sees
 * only bytes can tell. */
static bool looks_unfinished(const struct frame *f)
{
    size_t n = f->udp - f->ip == 20 ? 8 : 32;
    uint32_t sum = 17 + be16(f->udp + 4);
    for (size_t i = 0; i < n; i += 2)
        sum += be16(f->udp - n + i);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == be16(f->udp + 6);
}

static void damage(struct relay *r, struct frame *f)
{
    if (r->faults.kind_of_damage == DAMAGE_FORGED) {
        for (size_t n = 1 + rng_below(&r->rng, 4); n > 0; n--)
            f->payload[rng_below(&r->rng, f->n_payload)] ^= (uint8_t)(1 + rng_below(&r->rng, 255));
        frame_finish(f, f->n_payload);
    } else if (!looks_unfinished(f)) {
        uint64_t bit = rng_below(&r->rng, 8 * (uint64_t)(f->n_bytes - ETHERNET_BYTES));
        f->ip[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void delay(struct relay *r, const struct frame *f, int to)
{
    struct relay_delayed *d = &r->delayed[r->n_delayed++];
    *d = (struct relay_delayed){.due_ns = clock_now_ns() + DELAY_NS, .to = to, .n_bytes = f->n_bytes};
    memcpy(d->bytes, f->bytes, f->n_bytes);
}

static void pass_datagram(struct relay *r, struct frame *f, int to)
{
    atomic_fetch_add(&r->counts.n_frames, 1);
    frame_finish(f, f->n_payload); /* as a card does what its driver has left to it */
    if (happens(r, r->faults.loss)) {
        atomic_fetch_add(&r->counts.n_lost, 1);
        return;
    }
    if (happens(r, r->faults.doubling)) {
        atomic_fetch_add(&r->counts.n_doubled, 1);
        send(to, f->bytes, f->n_bytes, 0);
    }
    if (f->n_payload > 0 && happens(r, r->faults.damage)) {
        atomic_fetch_add(&r->counts.n_damaged, 1);
        damage(r, f);
    }
    if (r->n_delayed < RELAY_MAX_DELAYED && happens(r, r->faults.delay)) {
        atomic_fetch_add(&r->counts.n_delayed, 1);
        delay(r, f, to);
        return;
    }
    send(to, f->bytes, f->n_bytes, 0);
}

static void pass_all(struct relay *r, int from, int to)
{
    uint8_t bytes[RELAY_FRAME_BYTES];
    struct frame f;
    ssize_t n;
    while ((n = recv(from, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        if (frame_read(bytes, (size_t)n, &f) == FRAME_ACCEPTED)
            pass_datagram(r, &f, to);
        else
            send(to, bytes, (size_t)n, 0);
    }
}

static void send_due(struct relay *r)
{
    uint64_t now_ns = clock_now_ns();
    size_t n_due = 0;
    while (n_due < r->n_delayed && r->delayed[n_due].due_ns <= now_ns) {
        const struct relay_delayed *d = &r->delayed[n_due++];
        send(d->to, d->bytes, d->n_bytes, 0);
    }
    r->n_delayed -= n_due;
    memmove(r->delayed, r->delayed + n_due, r->n_delayed * sizeof *r->delayed);
}

static void *run(void *context)
{
    struct relay *r = context;
    struct pollfd readable[2] = {{.fd = r->sockets[0], .events = POLLIN},
                                 {.fd = r->sockets[1], .events = POLLIN}};
    while (!atomic_load(&r->is_to_stop)) {
        poll(readable, 2, r->n_delayed ? N_WAITING_MS : N_IDLE_MS);
        pass_all(r, r->sockets[0], r->sockets[1]);
        pass_all(r, r->sockets[1], r->sockets[0]);
        send_due(r);
    }
    return NULL;
}

static void must_run(const char *command)
{
    FILE *out = popen(command, "r");
    assert_non_null(out);
    if (pclose(out) != 0)
        fail_msg("failed: %s", command);
}

static void make_namespace(struct relay *r)
{
    char command[512];
    const char *far = r->veth->names[VETH_FAR];
    snprintf(r->name, sizeof r->name, "collide-%d-beyond", (int)getpid());
    snprintf(command, sizeof command,
             "ip netns add %s && ip -n %s link add " TO_BEYOND " type veth peer name " VETH_INTERFACE
             " netns %s && ip -n %s link set " TO_BEYOND " up",
             r->name, far, r->name, far);
    must_run(command);
    snprintf(command, sizeof command,
             "ip -n %s link set " VETH_INTERFACE " up && ip -n %s address add " RELAY_IPV4
             "/24 dev " VETH_INTERFACE " && ip -n %s address add " RELAY_IPV6 "/64 dev " VETH_INTERFACE
             " nodad",
             r->name, r->name, r->name);
    must_run(command);
}

static int open_interface(const struct veth *v, const char *interface)
{
    int home = veth_visit(v, VETH_FAR), on = 1, n_bytes = SOCKET_BYTES;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    const struct sockaddr_ll at = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = (int)if_nametoindex(interface)};
    veth_leave(home);
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n_bytes, sizeof n_bytes), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* A link that has just been set up drops what it is given for some time. */
static void await_path(const struct relay *r)
{
    static const char *const hosts[] = {VETH_NEAR_IPV4, VETH_NEAR_IPV6};
    char command[160];
    for (size_t i = 0; i < 2; i++) {
        snprintf(
            command, sizeof command,
            "for i in $(seq 20); do ip netns exec %s ping -q -c 1 -W 1 %s >/dev/null && exit 0; done; exit 1",
            r->name, hosts[i]);
        must_run(command);
    }
}

void relay_create(const struct veth *v, const struct relay_faults *faults, struct relay *out)
{
    memset(out, 0, sizeof *out);
    out->veth = v;
    out->faults = *faults;
    out->rng = rng_seeded(faults->seed, 22);
    make_namespace(out);
    out->sockets[0] = open_interface(v, VETH_INTERFACE);
    out->sockets[1] = open_interface(v, TO_BEYOND);
    assert_int_equal(pthread_create(&out->thread, NULL, run, out), 0);
    await_path(out);
}

void relay_destroy(struct relay *r)
{
    char command[160];
    atomic_store(&r->is_to_stop, true);
    pthread_join(r->thread, NULL);
    close(r->sockets[0]);
    close(r->sockets[1]);
    snprintf(command, sizeof command, "ip -n %s link del " TO_BEYOND " && ip netns del %s",
             r->veth->names[VETH_FAR], r->name);
    must_run(command);
}

void relay_enter(const struct relay *r)
{
    struct veth beyond;
    memcpy(beyond.names[VETH_FAR], r->name, sizeof r->name);
    veth_enter(&beyond, VETH_FAR);
}
