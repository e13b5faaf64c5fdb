#include "net/shm_port.h"

#include "base/error.h"
#include "transport/shm_socket.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* A thread that never waits looks for clients that come and go once in so many receives. */
enum { RECEIVES_PER_TENDING = 4096, MAX_EVENTS = 64 };

struct shm_client {
    struct shm_server_end end;
    int fd;
    struct shm_client *next; /* in the mailbox */
};

/* Where a datagram of the burst in hand came from. */
struct shm_origin {
    struct shm_client *client;
    uint64_t ticket;
};

struct shm_port {
    struct burst_port port;
    int epoll_fd, mailbox_fd;
    _Atomic(struct shm_client *) mailbox; /* the latest to be handed over first */
    atomic_uint n_reserved;               /* clients, those in the mailbox included */
    unsigned n_receives;
    unsigned n_clients, turn;    /* whose datagrams are taken first */
    struct shm_client **clients; /* (n_clients) */
    struct shm_origin origins[BURST_MAX];
    _Alignas(64) uint8_t bytes[BURST_MAX][(WIRE_MAX_BYTES + 63) / 64 * 64];
};

static void client_free(struct shm_client *c)
{
    munmap(c->end.ring, sizeof *c->end.ring);
    close(c->fd);
    free(c);
}

static void client_leave(struct shm_port *p, struct shm_client *client)
{
    unsigned at = 0;
    while (p->clients[at] != client)
        at++;
    p->clients[at] = p->clients[--p->n_clients];
    p->turn = 0;
    client_free(client);
    atomic_fetch_sub(&p->n_reserved, 1);
}

static void mailbox_empty(struct shm_port *p)
{
    uint64_t n_rung;
    while (read(p->mailbox_fd, &n_rung, sizeof n_rung) < 0 && errno == EINTR)
        ;
    struct shm_client *c = atomic_exchange(&p->mailbox, NULL);
    while (c) {
        struct shm_client *next = c->next;
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
        p->clients[p->n_clients++] = c;
        if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0)
            client_leave(p, c);
        c = next;
    }
}

/* Clients that come, ring or have gone. Between bursts: what a client that has gone had asked is forgotten.
 */
static void tend(struct shm_port *p, int timeout_ms)
{
    struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait(p->epoll_fd, events, MAX_EVENTS, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct shm_client *c = events[i].data.ptr;
        if (!c)
            mailbox_empty(p);
        else if (events[i].events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR) || !shm_bell_hear(c->fd))
            client_leave(p, c);
    }
}

static size_t take(struct shm_port *p, struct shm_client *c, struct datagram *burst, size_t n, size_t max)
{
    uint64_t ticket = c->end.n_taken;
    uint32_t n_bytes;
    while (n < max && shm_ring_take(&c->end, p->bytes[n], &n_bytes)) {
        burst[n] = (struct datagram){.bytes = p->bytes[n], .n_bytes = n_bytes, .capacity = WIRE_MAX_BYTES};
        p->origins[n++] = (struct shm_origin){c, ticket++};
    }
    return n;
}

static size_t receive(struct burst_port *port, struct datagram *burst, size_t max)
{
    struct shm_port *p = (struct shm_port *)port;
    size_t n = 0;
    if (++p->n_receives % RECEIVES_PER_TENDING == 0)
        tend(p, 0);
    for (unsigned i = 0; i < p->n_clients && n < max; i++) {
        n = take(p, p->clients[p->turn], burst, n, max);
        p->turn = p->turn + 1 < p->n_clients ? p->turn + 1 : 0;
    }
    return n;
}

static void wake(struct shm_client *c)
{
    if (shm_sleeper_needs_bell(&c->end.ring->client))
        shm_bell_ring(c->fd);
}

/* A client's datagrams lie side by side in the burst: it is woken behind the last. */
static void send_burst(struct burst_port *port, struct datagram *burst, size_t n)
{
    struct shm_port *p = (struct shm_port *)port;
    for (size_t i = 0; i < n; i++) {
        struct shm_client *c = p->origins[i].client;
        shm_ring_answer(&c->end, p->origins[i].ticket, burst[i].bytes, burst[i].n_reply_bytes);
        if (i + 1 == n || p->origins[i + 1].client != c)
            wake(c);
    }
}

static void wait_rung(struct burst_port *port, unsigned timeout_ms)
{
    struct shm_port *p = (struct shm_port *)port;
    bool has_request = false;
    for (unsigned i = 0; i < p->n_clients; i++)
        shm_sleeper_lie_down(&p->clients[i]->end.ring->server);
    for (unsigned i = 0; i < p->n_clients && !has_request; i++)
        has_request = shm_ring_has_request(&p->clients[i]->end);
    tend(p, has_request ? 0 : (int)timeout_ms);
    for (unsigned i = 0; i < p->n_clients; i++)
        shm_sleeper_get_up(&p->clients[i]->end.ring->server);
}

static const struct burst_port_make make = {.receive = receive, .send = send_burst, .wait = wait_rung};

enum collide_status shm_port_create(unsigned max_clients, struct shm_port **out, struct collide_error *err)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct shm_port *p = aligned_alloc(_Alignof(struct shm_port), sizeof *p);
    if (!p)
        return error_no_memory(err, "a thread's clients");
    memset(p, 0, sizeof *p);
    p->port.make = &make;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->mailbox_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->clients = calloc(max_clients, sizeof *p->clients);
    enum collide_status status = COLLIDE_OK;
    if (!p->clients)
        status = error_no_memory(err, "a thread's clients");
    else if (p->epoll_fd < 0 || p->mailbox_fd < 0 ||
             epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->mailbox_fd, &event) != 0)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot watch for clients of shared memory");
    if (status == COLLIDE_OK)
        *out = p;
    else
        shm_port_destroy(p);
    return status;
}

void shm_port_destroy(struct shm_port *p)
{
    if (!p)
        return;
    if (p->clients && p->mailbox_fd >= 0)
        mailbox_empty(p);
    while (p->n_clients > 0)
        client_leave(p, p->clients[0]);
    if (p->epoll_fd >= 0)
        close(p->epoll_fd);
    if (p->mailbox_fd >= 0)
        close(p->mailbox_fd);
    free(p->clients);
    free(p);
}

struct burst_port *shm_port_burst(struct shm_port *p)
{
    return &p->port;
}

unsigned shm_port_n_clients(const struct shm_port *p)
{
    return atomic_load(&p->n_reserved);
}

enum collide_status shm_port_add(struct shm_port *p, int fd, struct shm_ring *ring)
{
    struct shm_client *c = calloc(1, sizeof *c);
    if (!c)
        return COLLIDE_NO_MEMORY;
    *c = (struct shm_client){.end.ring = ring, .fd = fd, .next = atomic_load(&p->mailbox)};
    atomic_fetch_add(&p->n_reserved, 1);
    while (!atomic_compare_exchange_weak(&p->mailbox, &c->next, c))
        ;
    uint64_t one = 1;
    while (write(p->mailbox_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    return COLLIDE_OK;
}
