#include "net/notify.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Twice as often as systemd wants it, as sd_watchdog_enabled(3) advises. */
static uint64_t watchdog_interval_ns(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!us || (pid && strtol(pid, NULL, 10) != getpid()))
        return 0;
    return strtoull(us, NULL, 10) * 1000 / 2;
}

enum collide_status notify_open(struct notify *out, struct collide_error *err)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    *out = (struct notify){.fd = -1};
    if (!name || !*name)
        return COLLIDE_OK;
    size_t n = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || n >= sizeof at.sun_path)
        return error_set(err, COLLIDE_INVALID, "NOTIFY_SOCKET=%.64s is no Unix socket", name);
    memcpy(at.sun_path, name, n);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        connect(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0) {
        int failed = errno;
        if (fd >= 0)
            close(fd);
        return error_set_errno(err, COLLIDE_IO, failed, "cannot reach NOTIFY_SOCKET=%.100s", name);
    }
    *out = (struct notify){.fd = fd, .watchdog_ns = watchdog_interval_ns()};
    return COLLIDE_OK;
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

static void tell(const struct notify *n, const char *text)
{
    if (n->fd >= 0)
        send(n->fd, text, strlen(text), MSG_NOSIGNAL);
}

void notify_ready(const struct notify *n, const char *status)
{
    char text[256];
    snprintf(text, sizeof text, "READY=1\nSTATUS=%s", status);
    tell(n, text);
}

void notify_reloading(const struct notify *n)
{
    char text[64];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / 1000);
    tell(n, text);
}

void notify_stopping(const struct notify *n)
{
    tell(n, "STOPPING=1");
}

void notify_alive(const struct notify *n)
{
    tell(n, "WATCHDOG=1");
}
