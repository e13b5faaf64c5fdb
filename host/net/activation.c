#include "net/activation.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_FD = 3, MAX_FD = 1 << 20 };

/* A whole number in [low, high], or -1. */
static int parse_number(const char *text, int low, int high)
{
    char *end = NULL;
    long value = text && *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;
    return end && *end == '\0' && value >= low && value <= high ? (int)value : -1;
}

/* Sockets that are for this process, not for one that started it and left its environment. */
static int n_activated(void)
{
    if (parse_number(getenv("LISTEN_PID"), 1, 1 << 30) != getpid())
        return 0;
    int n = parse_number(getenv("LISTEN_FDS"), 0, MAX_FD - FIRST_FD);
    return n > 0 ? n : 0;
}

/* The descriptor of systemd's first socket of that name, or -1. */
static int find_named(const char *name)
{
    const char *names = getenv("LISTEN_FDNAMES");
    size_t n_name = strlen(name);
    for (int i = 0, n = n_activated(); i < n && names; i++) {
        size_t n_this = strcspn(names, ":");
        if (n_this == n_name && memcmp(names, name, n_name) == 0)
            return FIRST_FD + i;
        names = names[n_this] ? names + n_this + 1 : NULL;
    }
    return -1;
}

static bool is_listening_stream(int fd)
{
    int type = 0, listens = 0;
    socklen_t n_type = sizeof type, n_listens = sizeof listens;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n_type) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n_listens) == 0 && listens;
}

enum collide_status activation_take(const char *name, int *out, struct collide_error *err)
{
    int fd = parse_number(name, FIRST_FD, MAX_FD);
    if (fd < 0)
        fd = find_named(name);
    if (fd < 0)
        return error_set(err, COLLIDE_INVALID,
                         "fd:%.64s is no socket that this process was started with; systemd's are named by "
                         "FileDescriptorName= in the .socket unit",
                         name);
    if (!is_listening_stream(fd))
        return error_set(err, COLLIDE_INVALID, "fd:%.64s is no stream socket that listens", name);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot use fd:%.64s", name);
    *out = fd;
    return COLLIDE_OK;
}
