#include "echo.h"

#include "base/error.h"
#include "base/spin.h"
#include "echo_http.h"
#include "transport/address.h"
#include "xdp/interface.h"
#include "xdp/redirect.h"
#include "xdp/xdp_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { N_FRAMES = 1024, BURST = 64, RECEIVE_TIMEOUT_US = 100000, ETHERNET_BYTES = 14 };

static inline void swap(uint8_t *at, size_t n)
{
    uint8_t first[16];
    memcpy(first, at, n);
    memcpy(at, at + n, n);
    memcpy(at + n, first, n);
}

/* The least that brings a frame back; an untagged one without options. Sums of what is swapped stay as they
 * are. */
static inline void turn(uint8_t *bytes)
{
    uint8_t *ip = bytes + ETHERNET_BYTES;
    swap(bytes, 6);
    if (ip[0] >> 4 == 4) {
        swap(ip + 12, 4);
        swap(ip + 20, 2);
    } else {
        swap(ip + 8, 16);
        swap(ip + 40, 2);
    }
}

static void echo_frames(struct xdp_socket *s, const atomic_bool *stop)
{
    struct xdp_frame burst[BURST];
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        size_t n = xdp_socket_receive(s, burst, BURST);
        if (n == 0) {
            spin_pause();
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            turn(burst[i].bytes);
            xdp_socket_queue(s, burst[i].bytes, burst[i].n_bytes);
        }
        xdp_socket_flush(s);
    }
}

static void tell_ready(const struct echo_options *options, const char *where)
{
    if (options->ready)
        options->ready(options->context, where);
}

static enum collide_status run_xdp(const struct echo_options *options, const atomic_bool *stop,
                                   struct collide_error *err)
{
    struct redirect *redirect = NULL;
    struct xdp_socket *socket = NULL;
    char where[128];
    unsigned queue = 0, n_queues = 0;
    uint8_t *memory = xdp_memory_allocate(N_FRAMES);
    char *interface = strdup(options->where);
    enum collide_status status = memory && interface ? interface_parse(interface, &queue, 1, &n_queues, err)
                                                     : error_no_memory(err, "an echo");
    const struct redirect_options attach = {
        .interface = interface, .port = options->port, .mode = REDIRECT_BEST};
    const struct xdp_socket_options open = {.interface = interface,
                                            .queue = queue,
                                            .memory = memory,
                                            .n_frames = N_FRAMES,
                                            .n_receive = N_FRAMES};
    if (status == COLLIDE_OK)
        status = redirect_create(&attach, &redirect, err);
    if (status == COLLIDE_OK)
        status = xdp_socket_create(&open, &socket, err);
    if (status == COLLIDE_OK)
        status = redirect_to_socket(redirect, queue, xdp_socket_fd(socket), err);
    if (status == COLLIDE_OK) {
        snprintf(where, sizeof where, "%s, %s, %s", options->where,
                 redirect_mode(redirect) == REDIRECT_NATIVE ? "native" : "generic",
                 xdp_socket_is_zero_copy(socket) ? "zero-copy" : "copied");
        tell_ready(options, where);
        echo_frames(socket, stop);
    }
    redirect_destroy(redirect);
    xdp_socket_destroy(socket);
    free(interface);
    free(memory);
    return status;
}

static void echo_datagrams(int fd, int receive_flags, const atomic_bool *stop)
{
    uint8_t bytes[2048];
    struct sockaddr_storage from;
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
        socklen_t n_from = sizeof from;
        ssize_t n = recvfrom(fd, bytes, sizeof bytes, receive_flags, (struct sockaddr *)&from, &n_from);
        if (n >= 0)
            sendto(fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, n_from);
        else if (receive_flags)
            spin_pause();
    }
}

static enum collide_status run_udp(const struct echo_options *options, const atomic_bool *stop,
                                   struct collide_error *err)
{
    struct addrinfo *found = NULL;
    enum collide_status status = address_resolve(options->where, SOCK_DGRAM, ADDRESS_TO_LISTEN, &found, err);
    if (status != COLLIDE_OK)
        return status;
    const struct timeval timeout = {.tv_usec = RECEIVE_TIMEOUT_US};
    int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0) {
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot echo at %.64s", options->where);
    } else {
        char where[ADDRESS_CHARS];
        address_of_socket(fd, where);
        tell_ready(options, where);
        echo_datagrams(fd, options->kind == ECHO_UDP_SPIN ? MSG_DONTWAIT : 0, stop);
    }
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    return status;
}

enum collide_status echo_run(const struct echo_options *options, const atomic_bool *stop,
                             struct collide_error *err)
{
    switch (options->kind) {
    case ECHO_XDP:
        return run_xdp(options, stop, err);
    case ECHO_HTTP_SPIN:
    case ECHO_HTTP_BLOCK:
        return echo_http_run(options, stop, err);
    default:
        return run_udp(options, stop, err);
    }
}
