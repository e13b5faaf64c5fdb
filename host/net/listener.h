/* Places where streams are listened for, as people write them:
 *
 *   HOST:PORT, :PORT     TCP; see listen.h
 *   unix:PATH            a Unix socket, for its owner and group
 *   fd:NAME, fd:NUMBER   a socket that listens already: of systemd's, by its FileDescriptorName, or a
 *                        descriptor that the process was started with */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "collide/status.h"

#include <stdbool.h>
#include <sys/types.h>

enum { LISTENER_CHARS = 128 };

enum listener_reach { LISTENER_UNIX, LISTENER_LOOPBACK, LISTENER_NETWORK };

struct listener {
    int fd; /* does not block */
    enum listener_reach reach;
    bool owns_path;
    char address[LISTENER_CHARS]; /* where it listens in the end, such as "127.0.0.1:8080", "unix:/run/c" */
};

enum collide_status listener_open(const char *text, struct listener *out, struct collide_error *err);

/* Hands the path of a Unix socket of ours to those that the process is about to become. */
enum collide_status listener_give(const struct listener *l, uid_t user, gid_t group,
                                  struct collide_error *err);

/* Removes the path of a Unix socket of ours. Of one that is zeroed or closed already nothing remains. */
void listener_close(struct listener *l);

#endif
