/* Sockets that the process was started with, and what systemd tells of them: LISTEN_PID, LISTEN_FDS and
 * LISTEN_FDNAMES of sd_listen_fds(3). */
#ifndef NET_ACTIVATION_H
#define NET_ACTIVATION_H

#include "collide/status.h"

/* name: one of systemd's sockets, or the number of a descriptor. The descriptor is the caller's; it does not
 * block, and is not for programs that this one executes. COLLIDE_INVALID: there is none, or it is no stream
 * socket that listens. */
enum collide_status activation_take(const char *name, int *out, struct collide_error *err);

#endif
