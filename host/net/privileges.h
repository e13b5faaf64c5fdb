/* Giving up what serving does not need, for good. */
#ifndef NET_PRIVILEGES_H
#define NET_PRIVILEGES_H

#include "collide/status.h"

#include <stddef.h>
#include <sys/types.h>

enum { USER_MAX_GROUPS = 64 };

struct user {
    uid_t id;
    gid_t group;
    gid_t groups[USER_MAX_GROUPS]; /* (n_groups), `group` among them: those of the user, such as a GPU's */
    size_t n_groups;
};

/* NAME or NAME:GROUP, of this machine's accounts. */
enum collide_status user_find(const char *text, struct user *out, struct collide_error *err);

/* Before other threads start: from now on no program that is executed has more rights than this one, no other
 * process of the same user reads or traces this one, and it leaves no core file. */
enum collide_status privileges_confine(struct collide_error *err);

/* Turns the whole process from root into the user, without capabilities; COLLIDE_UNSUPPORTED: it is not root.
 * That there is no way back is tried. */
enum collide_status privileges_drop(const struct user *user, struct collide_error *err);

#endif
