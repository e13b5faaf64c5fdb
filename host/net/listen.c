#include "net/listen.h"

#include "base/error.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static enum collide_status cannot_listen(const char *address, int failed, struct collide_error *err)
{
    return error_set_errno(err, COLLIDE_IO, failed, "cannot listen on %.64s%s", address,
                           failed == EADDRINUSE ? " (stop what listens there, or choose another port)" : "");
}

static int open_socket(const struct addrinfo *at)
{
    return socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
}

static int set_on(int fd, int option)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, option, &on, sizeof on);
}

static int listen_stream(const struct addrinfo *at)
{
    int fd = open_socket(at);
    if (fd >= 0 && (set_on(fd, SO_REUSEADDR) != 0 || bind(fd, at->ai_addr, at->ai_addrlen) != 0 ||
                    listen(fd, BACKLOG) != 0)) {
        int failed = errno;
        close(fd);
        errno = failed;
        return -1;
    }
    return fd;
}

/* The first socket opens the port to others only once it has it: so a port of another server's is in use, not
 * shared with it. */
static int listen_datagrams_first(const struct addrinfo *at)
{
    int fd = open_socket(at);
    if (fd >= 0 && (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || set_on(fd, SO_REUSEPORT) != 0)) {
        int failed = errno;
        close(fd);
        errno = failed;
        return -1;
    }
    return fd;
}

static int join_datagrams(int first)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    if (getsockname(first, (struct sockaddr *)&bound, &n) != 0)
        return -1;
    int fd = socket(bound.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && (set_on(fd, SO_REUSEPORT) != 0 || bind(fd, (struct sockaddr *)&bound, n) != 0)) {
        int failed = errno;
        close(fd);
        errno = failed;
        return -1;
    }
    return fd;
}

/* Listens at the first address that can be had. */
static enum collide_status listen_at(const char *address, int socket_type,
                                     int (*try)(const struct addrinfo *at), int *out,
                                     struct collide_error *err)
{
    struct addrinfo *found;
    enum collide_status status = address_resolve(address, socket_type, ADDRESS_TO_LISTEN, &found, err);
    if (status != COLLIDE_OK)
        return status;
    int fd = -1;
    if (address[0] == ':') /* by IPv6 all addresses can be had, those of IPv4 as well */
        for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
            fd = at->ai_family == AF_INET6 ? try(at) : -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = try(at);
    int failed = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return cannot_listen(address, failed, err);
    *out = fd;
    return COLLIDE_OK;
}

enum collide_status listen_tcp(const char *address, int *out, char bound[ADDRESS_CHARS],
                               struct collide_error *err)
{
    enum collide_status status = listen_at(address, SOCK_STREAM, listen_stream, out, err);
    if (status == COLLIDE_OK)
        address_of_socket(*out, bound);
    return status;
}

enum collide_status listen_udp(const char *address, size_t n, int *out, char bound[ADDRESS_CHARS],
                               struct collide_error *err)
{
    enum collide_status status = listen_at(address, SOCK_DGRAM, listen_datagrams_first, &out[0], err);
    if (status != COLLIDE_OK)
        return status;
    for (size_t i = 1; i < n; i++) {
        out[i] = join_datagrams(out[0]);
        if (out[i] < 0) {
            status = cannot_listen(address, errno, err);
            while (i-- > 0)
                close(out[i]);
            return status;
        }
    }
    address_of_socket(out[0], bound);
    return COLLIDE_OK;
}
