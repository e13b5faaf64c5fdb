#include "net/listen.h"

#include "base/error.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* Cuts a copy of the address into host and port, in place. */
static enum collide_status split(char *address, char **host, char **port, struct collide_error *err)
{
    char *colon = strrchr(address, ':');
    char *end = NULL;
    long number = colon ? strtol(colon + 1, &end, 10) : -1;
    if (!colon || end == colon + 1 || *end != '\0' || number < 0 || number > 65535)
        return error_set(err, COLLIDE_INVALID,
                         "\"%.64s\" is no address; write HOST:PORT, such as 127.0.0.1:8080", address);
    *colon = '\0';
    *host = *address ? address : NULL;
    *port = colon + 1;
    if (address[0] == '[' && colon > address + 1 && colon[-1] == ']') {
        colon[-1] = '\0';
        *host = address + 1;
    }
    return COLLIDE_OK;
}

static void describe_bound(int fd, char bound[LISTEN_ADDRESS_CHARS])
{
    struct sockaddr_storage storage;
    socklen_t n = sizeof storage;
    char host[LISTEN_ADDRESS_CHARS - 16], port[8];
    snprintf(bound, LISTEN_ADDRESS_CHARS, "?");
    if (getsockname(fd, (struct sockaddr *)&storage, &n) == 0 &&
        getnameinfo((struct sockaddr *)&storage, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(bound, LISTEN_ADDRESS_CHARS, storage.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
                 port);
}

static enum collide_status listen_on(const struct addrinfo *at, const char *address, int *out,
                                     struct collide_error *err)
{
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    int one = 1;
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int failed = errno;
        if (fd >= 0)
            close(fd);
        return error_set_errno(err, COLLIDE_IO, failed, "cannot listen on %.64s%s", address,
                               failed == EADDRINUSE ? " (stop what listens there, or choose another port)"
                                                    : "");
    }
    *out = fd;
    return COLLIDE_OK;
}

enum collide_status listen_tcp(const char *address, int *out, char bound[LISTEN_ADDRESS_CHARS],
                               struct collide_error *err)
{
    char *copy = strdup(address), *host = NULL, *port = NULL;
    if (!copy)
        return error_no_memory(err, "an address");
    enum collide_status status = split(copy, &host, &port, err);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    if (status == COLLIDE_OK) {
        int failed = getaddrinfo(host, port, &hints, &found);
        if (failed)
            status = error_set(err, COLLIDE_INVALID, "cannot resolve \"%.64s\": %s", address,
                               gai_strerror(failed));
    }
    bool is_bound = false;
    for (const struct addrinfo *at = found; at && !is_bound; at = at->ai_next) {
        status = listen_on(at, address, out, err);
        is_bound = status == COLLIDE_OK;
    }
    if (is_bound)
        describe_bound(*out, bound);
    if (found)
        freeaddrinfo(found);
    free(copy);
    return status;
}
