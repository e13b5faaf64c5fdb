/* What stands between a server and its clients: listeners, keys, rates, TLS; and what its process gives up.
 */
#ifndef CLI_SECURITY_H
#define CLI_SECURITY_H

#include "cli/security_args.h"
#include "http/server.h"
#include "net/notify.h"
#include "net/privileges.h"
#include "net/syscall_filter.h"

struct security {
    const struct security_flags *flags; /* borrowed */
    struct listener listener, admin;    /* fd -1: none, or with the HTTP server by now */
    struct gate gate;                   /* owns what is in it */
    struct tls *tls;
    struct user user; /* with --user */
    struct notify notify;
    enum syscall_need needs; /* of a server behind --seccomp */
};

/* Opens and reads all of it, with the rights that the process was started with. Warns of what lies open. */
enum collide_status security_open(const struct security_flags *flags, const char *listen,
                                  struct security *out, struct collide_error *err);
void security_close(struct security *s); /* once HTTP has stopped; zeroed is fine */

/* Lends it to HTTP, which takes the listeners. */
void security_lend(struct security *s, struct http_options *http);

/* Before models are read: becomes --user. */
enum collide_status security_drop(const struct security *s, struct collide_error *err);

/* Once they are loaded: --seccomp, after which the service compiles no more. */
enum collide_status security_filter(const struct security *s, struct service *service,
                                    struct collide_error *err);

/* Reads keys and certificates again; what cannot be used is logged, and stays as it was. */
void security_reload(struct security *s);

#endif
