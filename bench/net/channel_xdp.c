#include "channel_xdp.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/spin.h"
#include "neighbour.h"
#include "transport/address.h"
#include "xdp/frame.h"
#include "xdp/interface.h"
#include "xdp/redirect.h"
#include "xdp/xdp_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    N_FRAMES = 2048,
    N_RECEIVE = 1024,
    BURST = 64,
    PAYLOAD_AT = 64,
    DISCARD_PORT = 9,
    NS_PER_MS = 1000000
};

struct channel_xdp {
    struct channel channel;
    enum channel_wait wait;
    struct redirect *redirect;
    struct xdp_socket *socket;
    uint8_t *memory;
    int port_fd; /* keeps the local port ours */
    struct frame_route route;
    struct frame out;        /* reserved; bytes NULL: none is */
    const uint8_t *borrowed; /* the frame that was last received; NULL: none */
    struct xdp_frame in[BURST];
    size_t in_begin, in_end; /* of those that have come, not looked at yet */
};

static uint8_t *reserve(struct channel *channel)
{
    struct channel_xdp *c = (struct channel_xdp *)channel;
    if (!c->out.bytes) {
        uint8_t *memory = xdp_socket_reserve(c->socket);
        size_t n_headers = (c->route.ip_version == 4 ? FRAME_UDP_IPV4_BYTES : FRAME_UDP_IPV6_BYTES) + 14;
        if (!memory)
            return NULL;
        frame_begin(&c->route, memory + PAYLOAD_AT - n_headers, &c->out);
    }
    return c->out.payload;
}

static enum collide_status send_later(struct channel *channel, size_t n_bytes, struct collide_error *err)
{
    struct channel_xdp *c = (struct channel_xdp *)channel;
    (void)err;
    frame_finish(&c->out, (uint32_t)n_bytes);
    xdp_socket_queue(c->socket, c->out.bytes, c->out.n_bytes);
    c->out.bytes = NULL;
    return COLLIDE_OK;
}

static enum collide_status flush(struct channel *channel, struct collide_error *err)
{
    (void)err;
    xdp_socket_flush(((struct channel_xdp *)channel)->socket);
    return COLLIDE_OK;
}

/* Whether there is an answer among those that have come. */
static bool next_answer(struct channel_xdp *c, const uint8_t **bytes, size_t *n_bytes)
{
    while (c->in_begin < c->in_end) {
        const struct xdp_frame *received = &c->in[c->in_begin++];
        struct frame frame;
        if (frame_read(received->bytes, received->n_bytes, &frame) == FRAME_ACCEPTED) {
            c->borrowed = frame.bytes;
            *bytes = frame.payload;
            *n_bytes = frame.n_payload;
            return true;
        }
        xdp_socket_release(c->socket, received->bytes);
    }
    return false;
}

static void wait_until(struct channel_xdp *c, uint64_t now_ns, uint64_t until_ns)
{
    if (c->wait == CHANNEL_SPIN)
        spin_pause();
    else
        xdp_socket_wait(c->socket, (unsigned)((until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS));
}

static enum collide_status receive(struct channel *channel, uint64_t until_ns, const uint8_t **bytes,
                                   size_t *n_bytes, struct collide_error *err)
{
    struct channel_xdp *c = (struct channel_xdp *)channel;
    (void)err;
    if (c->borrowed)
        xdp_socket_release(c->socket, c->borrowed);
    c->borrowed = NULL;
    while (!next_answer(c, bytes, n_bytes)) {
        c->in_begin = 0;
        c->in_end = xdp_socket_receive(c->socket, c->in, BURST);
        if (c->in_end > 0)
            continue;
        uint64_t now_ns = until_ns ? clock_now_ns() : 0;
        if (now_ns >= until_ns) {
            *bytes = NULL;
            break;
        }
        wait_until(c, now_ns, until_ns);
    }
    return COLLIDE_OK;
}

static void destroy(struct channel *channel)
{
    struct channel_xdp *c = (struct channel_xdp *)channel;
    redirect_destroy(c->redirect);
    xdp_socket_destroy(c->socket);
    if (c->port_fd >= 0)
        close(c->port_fd);
    free(c->memory);
    free(c);
}

static const struct channel_make xdp_make = {reserve, send_later, flush, receive, destroy};

/* Address and port as they are in headers. */
static uint16_t copy_address(const struct sockaddr_storage *from, uint8_t *address)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)from;
    if (from->ss_family == AF_INET)
        memcpy(address, &ipv4->sin_addr, sizeof ipv4->sin_addr);
    else
        memcpy(address, &ipv6->sin6_addr, sizeof ipv6->sin6_addr);
    return from->ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port;
}

/* What makes the kernel look for the neighbour, and is no datagram for the server. */
static void probe(int fd, const struct addrinfo *to)
{
    struct sockaddr_storage discard = {0};
    memcpy(&discard, to->ai_addr, to->ai_addrlen);
    if (to->ai_family == AF_INET)
        ((struct sockaddr_in *)&discard)->sin_port = htons(DISCARD_PORT);
    else
        ((struct sockaddr_in6 *)&discard)->sin6_port = htons(DISCARD_PORT);
    sendto(fd, "", 0, 0, (const struct sockaddr *)&discard, to->ai_addrlen);
}

/* The kernel chooses our address and port. */
static enum collide_status find_route(struct channel_xdp *c, const char *interface, const struct addrinfo *to,
                                      struct collide_error *err)
{
    struct interface found;
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t n_own = sizeof own;
    enum collide_status status = interface_find(interface, &found, err);
    if (status != COLLIDE_OK)
        return status;
    c->port_fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (c->port_fd < 0 ||
        setsockopt(c->port_fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) != 0 ||
        connect(c->port_fd, to->ai_addr, to->ai_addrlen) != 0 ||
        getsockname(c->port_fd, (struct sockaddr *)&own, &n_own) != 0)
        return error_set_errno(err, COLLIDE_IO, errno, "no way to the server through %s", interface);
    memcpy(&peer, to->ai_addr, to->ai_addrlen);
    memcpy(c->route.source_mac, found.mac, sizeof found.mac);
    c->route.source_port = copy_address(&own, c->route.source);
    c->route.destination_port = copy_address(&peer, c->route.destination);
    c->route.ip_version = to->ai_family == AF_INET ? 4 : 6;
    probe(c->port_fd, to);
    return neighbour_find(found.index, to->ai_addr, c->route.destination_mac, err);
}

static enum collide_status open_socket(struct channel_xdp *c, const char *interface, unsigned queue,
                                       struct collide_error *err)
{
    const struct redirect_options attach = {
        .interface = interface, .port = ntohs(c->route.source_port), .mode = REDIRECT_BEST};
    const struct xdp_socket_options open = {.interface = interface,
                                            .queue = queue,
                                            .memory = c->memory,
                                            .n_frames = N_FRAMES,
                                            .n_receive = N_RECEIVE};
    enum collide_status status = redirect_create(&attach, &c->redirect, err);
    if (status == COLLIDE_OK)
        status = xdp_socket_create(&open, &c->socket, err);
    if (status == COLLIDE_OK)
        status = redirect_to_socket(c->redirect, queue, xdp_socket_fd(c->socket), err);
    return status;
}

static enum collide_status open_channel(struct channel_xdp *c, char *interface, const char *address,
                                        struct collide_error *err)
{
    struct addrinfo *to = NULL;
    unsigned queue = 0, n_queues = 0;
    enum collide_status status = interface_parse(interface, &queue, 1, &n_queues, err);
    if (status == COLLIDE_OK)
        status = address_resolve(address, SOCK_DGRAM, ADDRESS_TO_CONNECT, &to, err);
    if (status == COLLIDE_OK)
        status = find_route(c, interface, to, err);
    if (status == COLLIDE_OK)
        status = open_socket(c, interface, queue, err);
    if (to)
        freeaddrinfo(to);
    return status;
}

enum collide_status channel_xdp_create(const char *interface, const char *address, enum channel_wait wait,
                                       struct channel **out, struct collide_error *err)
{
    struct channel_xdp *c = calloc(1, sizeof *c);
    char *name = strdup(interface);
    if (!c || !name) {
        free(c);
        free(name);
        return error_no_memory(err, "an AF_XDP channel");
    }
    c->channel = (struct channel){.make = &xdp_make, .max_in_flight = N_RECEIVE};
    c->wait = wait;
    c->port_fd = -1;
    c->memory = xdp_memory_allocate(N_FRAMES);
    enum collide_status status =
        c->memory ? open_channel(c, name, address, err) : error_no_memory(err, "an AF_XDP channel");
    free(name);
    if (status != COLLIDE_OK) {
        destroy(&c->channel);
        return status;
    }
    *out = &c->channel;
    return COLLIDE_OK;
}
