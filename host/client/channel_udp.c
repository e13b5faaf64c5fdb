#include "client/channel.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/spin.h"
#include "transport/address.h"
#include "wire/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { N_BUFFERS = 64, SOCKET_BUFFER_BYTES = 4 << 20, BUSY_POLL_US = 50 };

/* Datagrams on their way out, or come in and not yet looked at. */
struct udp_batch {
    unsigned begin, end;
    struct mmsghdr headers[N_BUFFERS];
    struct iovec rooms[N_BUFFERS];
    _Alignas(8) uint8_t bytes[N_BUFFERS][WIRE_MAX_BYTES];
};

struct channel_udp {
    struct channel channel;
    int fd;
    enum channel_wait wait;
    bool was_answered; /* once: a server that is away for a while may be back */
    char peer[ADDRESS_CHARS];
    struct udp_batch out, in;
};

static uint8_t *reserve(struct channel *channel)
{
    struct channel_udp *c = (struct channel_udp *)channel;
    return c->out.end < N_BUFFERS ? c->out.bytes[c->out.end] : NULL;
}

/* A refusal is of an earlier datagram, is told of once, and is for receive to report: the next try tells of
 * this one. */
static enum collide_status flush(struct channel *channel, struct collide_error *err)
{
    struct channel_udp *c = (struct channel_udp *)channel;
    struct udp_batch *out = &c->out;
    enum collide_status status = COLLIDE_OK;
    while (out->begin < out->end && status == COLLIDE_OK) {
        int n = sendmmsg(c->fd, out->headers + out->begin, out->end - out->begin, 0);
        if (n > 0)
            out->begin += (unsigned)n;
        else if (errno == ENOBUFS)
            out->begin++;
        else if (errno != EINTR && errno != ECONNREFUSED)
            status = error_set_errno(err, COLLIDE_IO, errno, "cannot send to %s", c->peer);
    }
    out->begin = out->end = 0;
    return status;
}

static enum collide_status send_later(struct channel *channel, size_t n_bytes, struct collide_error *err)
{
    struct channel_udp *c = (struct channel_udp *)channel;
    c->out.rooms[c->out.end++].iov_len = n_bytes;
    return c->out.end == N_BUFFERS ? flush(channel, err) : COLLIDE_OK;
}

static enum collide_status take_in(struct channel_udp *c, struct collide_error *err)
{
    int n = recvmmsg(c->fd, c->in.headers, N_BUFFERS, MSG_DONTWAIT, NULL);
    c->in.begin = 0;
    c->in.end = n > 0 ? (unsigned)n : 0;
    c->was_answered |= n > 0;
    if (n >= 0 || errno == EAGAIN || errno == EINTR || (errno == ECONNREFUSED && c->was_answered))
        return COLLIDE_OK;
    if (errno == ECONNREFUSED)
        return error_set(err, COLLIDE_IO,
                         "nothing answers at %s; start `collide serve --udp %s`, or correct the address",
                         c->peer, c->peer);
    return error_set_errno(err, COLLIDE_IO, errno, "cannot receive from %s", c->peer);
}

static void wait_for_more(const struct channel_udp *c, uint64_t wait_ns)
{
    if (c->wait == CHANNEL_SPIN) {
        spin_pause();
        return;
    }
    struct pollfd readable = {.fd = c->fd, .events = POLLIN};
    struct timespec timeout = {(time_t)(wait_ns / 1000000000), (long)(wait_ns % 1000000000)};
    ppoll(&readable, 1, &timeout, NULL);
}

static enum collide_status receive(struct channel *channel, uint64_t until_ns, const uint8_t **bytes,
                                   size_t *n_bytes, struct collide_error *err)
{
    struct channel_udp *c = (struct channel_udp *)channel;
    *bytes = NULL;
    while (c->in.begin == c->in.end) {
        enum collide_status status = take_in(c, err);
        if (status != COLLIDE_OK)
            return status;
        uint64_t now_ns = c->in.end || until_ns == 0 ? UINT64_MAX : clock_now_ns();
        if (c->in.end)
            break;
        if (now_ns >= until_ns)
            return COLLIDE_OK;
        wait_for_more(c, until_ns - now_ns);
    }
    *bytes = c->in.bytes[c->in.begin];
    *n_bytes = c->in.headers[c->in.begin++].msg_len;
    return COLLIDE_OK;
}

static void destroy(struct channel *channel)
{
    struct channel_udp *c = (struct channel_udp *)channel;
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

static const struct channel_make make = {
    .reserve = reserve, .send = send_later, .flush = flush, .receive = receive, .destroy = destroy};

static void batch_create(struct udp_batch *b)
{
    for (size_t i = 0; i < N_BUFFERS; i++) {
        b->rooms[i] = (struct iovec){b->bytes[i], WIRE_MAX_BYTES};
        b->headers[i].msg_hdr = (struct msghdr){.msg_iov = &b->rooms[i], .msg_iovlen = 1};
    }
}

static void socket_tune(const struct channel_udp *c)
{
    int n_bytes = SOCKET_BUFFER_BYTES, busy_us = BUSY_POLL_US;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, sizeof n_bytes);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &n_bytes, sizeof n_bytes);
    if (c->wait == CHANNEL_SPIN)
        setsockopt(c->fd, SOL_SOCKET, SO_BUSY_POLL, &busy_us, sizeof busy_us);
}

/* Whether this machine says at once that nothing listens there: an empty datagram, which a server drops. */
static bool is_refused(int fd)
{
    char byte = 0;
    return send(fd, &byte, 0, MSG_DONTWAIT) < 0 ||
           (recv(fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_PEEK) < 0 && errno != EAGAIN);
}

/* A name may stand for several addresses, such as localhost's of both families, and a server listen at one of
 * them: the first that does not refuse. -1: errno. */
static int connect_any(const struct addrinfo *found)
{
    for (const struct addrinfo *at = found; at; at = at->ai_next) {
        int fd = socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0 && !(at->ai_next && is_refused(fd)))
            return fd;
        if (fd >= 0) {
            int failed = errno;
            close(fd);
            errno = failed;
        }
    }
    return -1;
}

enum collide_status channel_udp_create(const char *address, enum channel_wait wait, struct channel **out,
                                       struct collide_error *err)
{
    struct addrinfo *found;
    enum collide_status status = address_resolve(address, SOCK_DGRAM, ADDRESS_TO_CONNECT, &found, err);
    if (status != COLLIDE_OK)
        return status;
    struct channel_udp *c = calloc(1, sizeof *c);
    if (!c) {
        freeaddrinfo(found);
        return error_no_memory(err, "a client's buffers");
    }
    c->channel.make = &make;
    c->wait = wait;
    snprintf(c->peer, sizeof c->peer, "%s", address);
    batch_create(&c->out);
    batch_create(&c->in);
    c->fd = connect_any(found);
    if (c->fd < 0)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot reach %s", c->peer);
    freeaddrinfo(found);
    if (status != COLLIDE_OK) {
        destroy(&c->channel);
        return status;
    }
    socket_tune(c);
    *out = &c->channel;
    return COLLIDE_OK;
}
