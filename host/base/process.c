#include "base/process.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_NS = 10000000, NICENESS = 5 };

static int set_streams(posix_spawn_file_actions_t *actions)
{
    int failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && !failed; fd++)
        failed = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_WRONLY, 0);
    return failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

/* A group of its own, so that it can be ended with all that it has started. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, ignored;
    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    int failed = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                          POSIX_SPAWN_SETSIGDEF);
    if (!failed)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    if (!failed)
        failed = posix_spawnattr_setsigmask(attributes, &none);
    return failed ? failed : posix_spawnattr_setsigdefault(attributes, &ignored);
}

static enum collide_status start(const struct process_options *o, pid_t *out, struct collide_error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return error_set_errno(err, COLLIDE_IO, failed, "cannot start %.256s", o->path);
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        failed = set_streams(&actions);
        if (!failed)
            failed = set_attributes(&attributes);
        if (!failed)
            failed =
                posix_spawn(out, o->path, &actions, &attributes, (char *const *)(uintptr_t)o->words, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return error_set_errno(err, COLLIDE_IO, failed, "cannot start %.256s", o->path);
    setpriority(PRIO_PROCESS, (id_t)*out, NICENESS);
    return COLLIDE_OK;
}

static enum collide_status judge(const struct process_options *o, const siginfo_t *ended,
                                 struct collide_error *err)
{
    if (ended->si_code != CLD_EXITED)
        return error_set(err, COLLIDE_IO, "%.256s was ended by signal %d", o->words[0], ended->si_status);
    if (ended->si_status != 0)
        return error_set(err, COLLIDE_IO, "%.256s ended with exit code %d", o->words[0], ended->si_status);
    return COLLIDE_OK;
}

/* Until it ends, or is to. It keeps its id meanwhile, and after. */
static enum collide_status wait_for(const struct process_options *o, pid_t pid, struct collide_error *err)
{
    uint64_t end_ns = clock_now_ns() + (uint64_t)o->timeout_s * 1000000000;
    for (;;) {
        siginfo_t ended = {.si_pid = 0};
        int failed = waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT);
        if (failed && errno != EINTR)
            return error_set_errno(err, COLLIDE_IO, errno, "cannot wait for %.256s", o->words[0]);
        if (!failed && ended.si_pid == pid)
            return judge(o, &ended, err);
        if (o->is_to_end && o->is_to_end(o->context))
            return error_set(err, COLLIDE_BUSY, "%.256s was not waited for", o->words[0]);
        if (clock_now_ns() >= end_ns)
            return error_set(err, COLLIDE_IO, "%.256s took longer than %u s", o->words[0], o->timeout_s);
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
}

enum collide_status process_run(const struct process_options *o, struct collide_error *err)
{
    pid_t pid;
    enum collide_status status = start(o, &pid, err);
    if (status != COLLIDE_OK)
        return status;
    status = wait_for(o, pid, err);
    kill(-pid, SIGKILL); /* what is left of its group */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return status;
}
