#include "net/listener.h"

#include "base/error.h"
#include "net/activation.h"
#include "net/listen.h"
#include "net/listen_unix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024 };
static const char UNIX_PREFIX[] = "unix:", FD_PREFIX[] = "fd:";
enum { UNIX_PREFIX_CHARS = sizeof UNIX_PREFIX - 1, FD_PREFIX_CHARS = sizeof FD_PREFIX - 1 };

static enum listener_reach reach_of(const struct sockaddr_storage *at)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)at;
    bool is_loopback = false;
    if (at->ss_family == AF_UNIX)
        return LISTENER_UNIX;
    if (at->ss_family == AF_INET)
        is_loopback = ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    else if (at->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        is_loopback = v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
    else if (at->ss_family == AF_INET6)
        is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    return is_loopback ? LISTENER_LOOPBACK : LISTENER_NETWORK;
}

static void name_unix(const struct sockaddr_un *at, socklen_t n, char out[LISTENER_CHARS])
{
    size_t n_path =
        n > offsetof(struct sockaddr_un, sun_path) ? n - offsetof(struct sockaddr_un, sun_path) : 0;
    if (n_path > 0 && at->sun_path[0] == '\0')
        snprintf(out, LISTENER_CHARS, "unix:@%.*s", (int)n_path - 1, at->sun_path + 1);
    else
        snprintf(out, LISTENER_CHARS, "unix:%.*s", (int)n_path, at->sun_path);
}

/* Where the socket is bound, and who can reach it there. */
static void look_at(struct listener *l)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    getsockname(l->fd, (struct sockaddr *)&at, &n);
    l->reach = reach_of(&at);
    if (l->reach == LISTENER_UNIX) {
        name_unix((const struct sockaddr_un *)&at, n, l->address);
        return;
    }
    char internet[ADDRESS_CHARS];
    address_of_socket(l->fd, internet);
    snprintf(l->address, LISTENER_CHARS, "%s", internet);
}

static enum collide_status open_unix(const char *path, struct listener *out, struct collide_error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n == 0)
        return error_set(err, COLLIDE_INVALID, "unix: needs a path, such as unix:/run/collide/http.sock");
    if (n >= sizeof at.sun_path)
        return error_set(err, COLLIDE_INVALID,
                         "\"%.64s...\" is too long for a socket: at most %zu characters", path,
                         sizeof at.sun_path - 1);
    memcpy(at.sun_path, path, n + 1);
    out->fd =
        listen_unix(SOCK_STREAM, &at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1), BACKLOG);
    out->owns_path = true;
    if (out->fd >= 0)
        return COLLIDE_OK;
    int failed = errno;
    return error_set_errno(err, COLLIDE_IO, failed, "cannot listen on unix:%s%s", path,
                           failed == EADDRINUSE ? " (stop what listens there, or choose another path)" : "");
}

enum collide_status listener_open(const char *text, struct listener *out, struct collide_error *err)
{
    struct listener l = {.fd = -1};
    char unused[ADDRESS_CHARS];
    enum collide_status status;
    if (strncmp(text, UNIX_PREFIX, UNIX_PREFIX_CHARS) == 0)
        status = open_unix(text + UNIX_PREFIX_CHARS, &l, err);
    else if (strncmp(text, FD_PREFIX, FD_PREFIX_CHARS) == 0)
        status = activation_take(text + FD_PREFIX_CHARS, &l.fd, err);
    else
        status = listen_tcp(text, &l.fd, unused, err);
    if (status != COLLIDE_OK)
        return status;
    look_at(&l);
    *out = l;
    return COLLIDE_OK;
}

enum collide_status listener_give(const struct listener *l, uid_t user, gid_t group,
                                  struct collide_error *err)
{
    const char *path = l->address + UNIX_PREFIX_CHARS;
    if (!l->owns_path || lchown(path, user, group) == 0)
        return COLLIDE_OK;
    return error_set_errno(err, COLLIDE_IO, errno, "cannot hand %s over", path);
}

void listener_close(struct listener *l)
{
    if (l->address[0] == '\0')
        return;
    if (l->owns_path)
        unlink(l->address + UNIX_PREFIX_CHARS);
    close(l->fd);
    *l = (struct listener){.fd = -1};
}
