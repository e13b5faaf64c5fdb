/* Errors of the system calls behind AF_XDP, most of which are about privileges. */
#ifndef XDP_PERMISSION_H
#define XDP_PERMISSION_H

#include "collide/status.h"

/* How a program that is not root's gets what AF_XDP takes. */
#define PERMISSION_REMEDY                                                                                    \
    "run as root, or once `setcap cap_net_admin,cap_net_raw,cap_bpf,cap_ipc_lock+ep` the program"

/* COLLIDE_UNSUPPORTED with the remedy if the system did not permit it, else COLLIDE_IO: "cannot <what> on
 * <interface>". */
enum collide_status permission_error(struct collide_error *err, int saved_errno, const char *what,
                                     const char *interface);

#endif
