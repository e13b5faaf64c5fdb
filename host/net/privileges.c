#include "net/privileges.h"

#include "base/error.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { NAME_CHARS = 64 };

static enum collide_status find_groups(const char *name, struct user *u, struct collide_error *err)
{
    int n = USER_MAX_GROUPS;
    if (getgrouplist(name, u->group, u->groups, &n) < 0)
        return error_set(err, COLLIDE_INVALID, "--user %s has more than %d groups", name, USER_MAX_GROUPS);
    u->n_groups = (size_t)n;
    return COLLIDE_OK;
}

enum collide_status user_find(const char *text, struct user *out, struct collide_error *err)
{
    char name[NAME_CHARS];
    const char *group_name = strchr(text, ':');
    size_t n = group_name ? (size_t)(group_name - text) : strlen(text);
    if (n == 0 || n >= sizeof name)
        return error_set(err, COLLIDE_INVALID, "--user %.80s is no NAME or NAME:GROUP", text);
    memcpy(name, text, n);
    name[n] = '\0';
    const struct passwd *account = getpwnam(name);
    if (!account)
        return error_set(err, COLLIDE_NOT_FOUND,
                         "--user: there is no user %s; adduser --system --group makes one", name);
    struct user u = {.id = account->pw_uid, .group = account->pw_gid};
    if (group_name) {
        const struct group *group = getgrnam(group_name + 1);
        if (!group)
            return error_set(err, COLLIDE_NOT_FOUND, "--user: there is no group %.64s", group_name + 1);
        u.group = group->gr_gid;
    }
    if (u.id == 0)
        return error_set(err, COLLIDE_INVALID, "--user %s is root, which gives nothing up", name);
    enum collide_status status = find_groups(name, &u, err);
    if (status == COLLIDE_OK)
        *out = u;
    return status;
}

enum collide_status privileges_confine(struct collide_error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot confine the process");
    return COLLIDE_OK;
}

static bool is_user(const struct user *user)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    return getresuid(&real, &effective, &saved) == 0 &&
           getresgid(&real_group, &effective_group, &saved_group) == 0 && real == user->id &&
           effective == user->id && saved == user->id && real_group == user->group &&
           effective_group == user->group && saved_group == user->group;
}

static bool has_no_capabilities(void)
{
    cap_t own = cap_get_proc(), none = cap_init();
    bool is_empty = own && none && cap_compare(own, none) == 0;
    if (own)
        cap_free(own);
    if (none)
        cap_free(none);
    return is_empty;
}

/* The C library does each of these in all threads, and the kernel takes their capabilities with root. */
enum collide_status privileges_drop(const struct user *user, struct collide_error *err)
{
    if (geteuid() != 0)
        return error_set(err, COLLIDE_UNSUPPORTED, "--user needs a start as root; leave it out otherwise");
    if (setgroups(user->n_groups, user->groups) != 0 ||
        setresgid(user->group, user->group, user->group) != 0 || setresuid(user->id, user->id, user->id) != 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot become user %u", (unsigned)user->id);
    if (!is_user(user) || !has_no_capabilities() || setuid(0) == 0 || setgid(0) == 0)
        return error_set(err, COLLIDE_IO, "became user %u, but not for good; this is no place to serve",
                         (unsigned)user->id);
    /* Becoming another user made it as sysctl fs.suid_dumpable says. */
    return privileges_confine(err);
}
