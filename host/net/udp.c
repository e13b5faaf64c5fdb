#include "net/udp.h"

#include "base/clock.h"
#include "base/error.h"
#include "net/listen.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 2048,
    SOCKET_BUFFER_BYTES = 4 << 20, /* some thousands of datagrams */
    BUSY_POLL_US = 50,
};

/* Older ones tell of a wall clock that was set. */
static const uint64_t MAX_TIMESTAMP_AGE_NS = UINT64_C(60) * 1000000000;

/* The local address that a datagram was sent to, its arrival, and room for alignment. */
union control {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct timespec))];
};

struct udp_port {
    struct burst_port port;
    struct burst_loop *loop;
    int fd;
    size_t n_received; /* headers that a receive has changed */
    atomic_uint_least64_t n_not_sent;
    struct mmsghdr requests[BURST_MAX], replies[BURST_MAX];
    struct iovec rooms[BURST_MAX], answers[BURST_MAX];
    struct sockaddr_storage peers[BURST_MAX];
    union control controls[BURST_MAX];
    _Alignas(8) uint8_t bytes[BURST_MAX][BUFFER_BYTES];
};

struct udp_server {
    char address[ADDRESS_CHARS];
    unsigned n_ports;
    struct udp_port *ports[]; /* (n_ports) */
};

static struct cmsghdr *control_find(struct msghdr *m, int level, int type)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == level && c->cmsg_type == type)
            return c;
    return NULL;
}

/* Two clocks at one moment. */
struct moment {
    uint64_t monotonic_ns, wall_ns;
};

static struct moment moment_now(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct moment){clock_now_ns(), (uint64_t)wall.tv_sec * 1000000000 + (uint64_t)wall.tv_nsec};
}

static uint64_t arrival_ns(struct msghdr *m, const struct moment *now)
{
    const struct cmsghdr *c = control_find(m, SOL_SOCKET, SCM_TIMESTAMPNS);
    struct timespec stamp;
    if (!c)
        return now->monotonic_ns;
    memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    uint64_t age_ns = now->wall_ns - ((uint64_t)stamp.tv_sec * 1000000000 + (uint64_t)stamp.tv_nsec);
    return age_ns < MAX_TIMESTAMP_AGE_NS ? now->monotonic_ns - age_ns : now->monotonic_ns;
}

static size_t receive(struct burst_port *port, struct datagram *burst, size_t max)
{
    struct udp_port *p = (struct udp_port *)port;
    for (size_t i = 0; i < p->n_received; i++) {
        p->requests[i].msg_hdr.msg_namelen = sizeof p->peers[i];
        p->requests[i].msg_hdr.msg_controllen = sizeof p->controls[i];
    }
    int n = recvmmsg(p->fd, p->requests, (unsigned)max, MSG_DONTWAIT, NULL);
    p->n_received = n > 0 ? (size_t)n : 0;
    if (n <= 0)
        return 0;
    struct moment now = moment_now();
    for (size_t i = 0; i < p->n_received; i++)
        burst[i] = (struct datagram){.bytes = p->bytes[i],
                                     .n_bytes = p->requests[i].msg_len,
                                     .capacity = BUFFER_BYTES,
                                     .arrived_ns = arrival_ns(&p->requests[i].msg_hdr, &now)};
    return p->n_received;
}

/* Leaves of a received control what makes the answer come from the address that was asked. The way out is the
 * routing's to choose: the interface is cleared. */
static void control_turn_round(struct msghdr *m)
{
    struct cmsghdr *v4 = control_find(m, IPPROTO_IP, IP_PKTINFO);
    struct cmsghdr *v6 = control_find(m, IPPROTO_IPV6, IPV6_PKTINFO);
    struct cmsghdr *found = v4 ? v4 : v6;
    if (!found) {
        m->msg_controllen = 0;
        return;
    }
    if (v4)
        memset(CMSG_DATA(v4) + offsetof(struct in_pktinfo, ipi_ifindex), 0, sizeof(int));
    else
        memset(CMSG_DATA(v6) + offsetof(struct in6_pktinfo, ipi6_ifindex), 0, sizeof(int));
    size_t n_bytes = CMSG_ALIGN(found->cmsg_len);
    memmove(m->msg_control, found, n_bytes);
    m->msg_controllen = n_bytes;
}

/* Sends what can be sent; a client whose answer is lost asks again. */
static void send_replies(struct udp_port *p, unsigned n)
{
    unsigned at = 0, n_not_sent = 0;
    while (at < n) {
        int sent = sendmmsg(p->fd, p->replies + at, n - at, MSG_DONTWAIT);
        if (sent > 0) {
            at += (unsigned)sent;
        } else if (errno != EINTR) {
            at++;
            n_not_sent++;
        }
    }
    if (n_not_sent)
        atomic_fetch_add_explicit(&p->n_not_sent, n_not_sent, memory_order_relaxed);
}

static void send_burst(struct burst_port *port, struct datagram *burst, size_t n)
{
    struct udp_port *p = (struct udp_port *)port;
    unsigned n_replies = 0;
    for (size_t i = 0; i < n; i++) {
        if (burst[i].n_reply_bytes == 0)
            continue;
        struct msghdr *m = &p->replies[n_replies].msg_hdr;
        *m = p->requests[i].msg_hdr;
        m->msg_flags = 0;
        m->msg_iov = &p->answers[n_replies++];
        *m->msg_iov = (struct iovec){burst[i].bytes, burst[i].n_reply_bytes};
        control_turn_round(m);
    }
    send_replies(p, n_replies);
}

static void wait_readable(struct burst_port *port, unsigned timeout_ms)
{
    struct pollfd readable = {.fd = ((struct udp_port *)port)->fd, .events = POLLIN};
    poll(&readable, 1, (int)timeout_ms);
}

static const struct burst_port_make make = {.receive = receive, .send = send_burst, .wait = wait_readable};

static bool is_wildcard(int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t n = sizeof bound;
    getsockname(fd, (struct sockaddr *)&bound, &n);
    if (bound.ss_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&bound)->sin6_addr);
    return ((struct sockaddr_in *)&bound)->sin_addr.s_addr == htonl(INADDR_ANY);
}

/* What a kernel does not grant only makes the port slower; more than the system's limit takes CAP_NET_ADMIN.
 */
static void socket_tune(int fd, enum poll_policy poll)
{
    int on = 1, n_bytes = SOCKET_BUFFER_BYTES, busy_us = BUSY_POLL_US;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n_bytes, sizeof n_bytes) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, sizeof n_bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &n_bytes, sizeof n_bytes) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n_bytes, sizeof n_bytes);
    if (poll != POLL_SLEEP)
        setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &busy_us, sizeof busy_us);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (is_wildcard(fd)) {
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    }
}

/* Takes the socket, also when it fails. */
static enum collide_status port_create(int fd, enum poll_policy poll, struct udp_port **out,
                                       struct collide_error *err)
{
    struct udp_port *p = calloc(1, sizeof *p);
    if (!p) {
        close(fd);
        return error_no_memory(err, "a UDP socket's buffers");
    }
    p->port.make = &make;
    p->fd = fd;
    p->n_received = BURST_MAX;
    for (size_t i = 0; i < BURST_MAX; i++) {
        p->rooms[i] = (struct iovec){p->bytes[i], BUFFER_BYTES};
        p->requests[i].msg_hdr = (struct msghdr){.msg_name = &p->peers[i],
                                                 .msg_iov = &p->rooms[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = &p->controls[i]};
    }
    socket_tune(fd, poll);
    *out = p;
    return COLLIDE_OK;
}

enum collide_status udp_server_create(struct service *service, const struct udp_options *options,
                                      struct udp_server **out, struct collide_error *err)
{
    struct udp_server *u = calloc(1, sizeof *u + options->n_threads * sizeof *u->ports);
    int *sockets = calloc(options->n_threads, sizeof *sockets);
    enum collide_status status = u && sockets ? COLLIDE_OK : error_no_memory(err, "the UDP server");
    if (status == COLLIDE_OK)
        status = listen_udp(options->listen, options->n_threads, sockets, u->address, err);
    if (status != COLLIDE_OK)
        goto out;
    for (unsigned i = 0; i < options->n_threads; i++) {
        if (status != COLLIDE_OK)
            close(sockets[i]);
        else if ((status = port_create(sockets[i], options->poll, &u->ports[i], err)) == COLLIDE_OK)
            u->n_ports++;
    }
    for (unsigned i = 0; i < u->n_ports && status == COLLIDE_OK; i++) {
        struct burst_loop_options loop = {.service = service,
                                          .worker = options->first_worker + i,
                                          .poll = options->poll,
                                          .cpu = options->cpus ? options->cpus[i] : -1};
        status = burst_loop_start(&u->ports[i]->port, &loop, &u->ports[i]->loop, err);
    }
out:
    free(sockets);
    if (status == COLLIDE_OK)
        *out = u;
    else
        udp_server_destroy(u);
    return status;
}

const char *udp_server_address(const struct udp_server *u)
{
    return u->address;
}

static uint32_t count_drops(int fd)
{
    uint32_t figures[SK_MEMINFO_VARS] = {0};
    socklen_t n_bytes = sizeof figures;
    getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &n_bytes);
    return figures[SK_MEMINFO_DROPS];
}

void udp_server_counts(const struct udp_server *u, struct udp_counts *out)
{
    *out = (struct udp_counts){0};
    for (unsigned i = 0; i < u->n_ports; i++) {
        out->n_not_sent += atomic_load_explicit(&u->ports[i]->n_not_sent, memory_order_relaxed);
        out->n_dropped += count_drops(u->ports[i]->fd);
    }
}

void udp_server_destroy(struct udp_server *u)
{
    if (!u)
        return;
    for (unsigned i = 0; i < u->n_ports; i++) {
        burst_loop_stop(u->ports[i]->loop);
        close(u->ports[i]->fd);
        free(u->ports[i]);
    }
    free(u);
}
