/* Telling systemd how the service fares: the datagrams of sd_notify(3). Without NOTIFY_SOCKET in the
 * environment nothing is told. */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include "collide/status.h"

#include <stdint.h>

struct notify {
    int fd;               /* -1: nobody asks */
    uint64_t watchdog_ns; /* how often to say that all is well; 0: never */
};

/* Connects, while that is allowed still. A socket that is not there is an error: systemd would wait for
 * READY=1. */
enum collide_status notify_open(struct notify *out, struct collide_error *err);
void notify_close(struct notify *n);

void notify_ready(const struct notify *n, const char *status); /* also after a reload */
void notify_reloading(const struct notify *n);
void notify_stopping(const struct notify *n);
void notify_alive(const struct notify *n);

#endif
