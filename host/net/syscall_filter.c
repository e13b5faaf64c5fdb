#include "net/syscall_filter.h"

#include "base/error.h"

#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Names that an architecture lacks are passed over. */
static const char *const allowed[] = {
    /* files */
    "open", "openat", "close", "read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev",
    "lseek", "fstat", "stat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd", "fcntl", "flock", "dup", "dup2", "dup3",
    "ioctl", "fadvise64", "ftruncate", "fallocate", "fsync", "fdatasync", "rename", "renameat", "renameat2",
    "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "utimensat", "umask",
    "inotify_add_watch", "inotify_rm_watch",
    /* sockets that are open */
    "accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "sendfile",
    "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    "epoll_pwait2", "eventfd2", "futex", "nanosleep", "clock_nanosleep", "pipe2",
    /* memory; mmap and mprotect are below */
    "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock", "brk", "mincore", "msync", "mbind",
    "get_mempolicy", "set_mempolicy", "membarrier",
    /* threads, signals; clone and tgkill are below */
    "exit", "exit_group", "gettid", "getpid", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity",
    "sched_setaffinity", "sched_getparam", "sched_getscheduler", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigtimedwait", "sigaltstack", "restart_syscall",
    /* asking */
    "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrandom", "getrusage", "getrlimit",
    "sysinfo", "uname", "getcpu", "getuid", "geteuid", "getgid", "getegid", "getppid"};

static const char *const hostile[] = {"execve",
                                      "execveat",
                                      "ptrace",
                                      "process_vm_readv",
                                      "process_vm_writev",
                                      "mount",
                                      "umount2",
                                      "move_mount",
                                      "open_tree",
                                      "fsopen",
                                      "fsmount",
                                      "pivot_root",
                                      "chroot",
                                      "unshare",
                                      "setns",
                                      "open_by_handle_at",
                                      "setuid",
                                      "setgid",
                                      "setreuid",
                                      "setregid",
                                      "setresuid",
                                      "setresgid",
                                      "setgroups",
                                      "capset",
                                      "init_module",
                                      "finit_module",
                                      "delete_module",
                                      "kexec_load",
                                      "kexec_file_load",
                                      "reboot",
                                      "swapon",
                                      "swapoff",
                                      "iopl",
                                      "ioperm",
                                      "userfaultfd",
                                      "perf_event_open",
                                      "add_key",
                                      "request_key",
                                      "keyctl"};

static int add_names(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n && !failed; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        if (number >= 0)
            failed = seccomp_rule_add(f, action, number, 0);
    }
    return failed;
}

/* A mapping may be executed, as that of a library, or written: not both, and no mapping becomes executable.
 * This hinders, no more: libraries are files, and who can write a file, one in memory among them, can map
 * what is in it anew. */
static int add_memory(scmp_filter_ctx f, enum syscall_need needs)
{
    const uint64_t both = PROT_WRITE | PROT_EXEC;
    static const uint64_t either[] = {0, PROT_WRITE, PROT_EXEC};
    int failed = 0;
    for (size_t i = 0; i < sizeof either / sizeof *either && !failed; i++)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, both, either[i]));
    if (!failed)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (!failed && needs & NEEDS_MEMORY_FILES)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(memfd_create), 0);
    return failed;
}

/* Threads, no processes, and signals to these threads alone; clone3, whose flags lie in memory, is as on an
 * older kernel: the C library then takes clone. */
static int add_threads(scmp_filter_ctx f)
{
    int failed = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (!failed)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (!failed)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    if (!failed)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    if (!failed)
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA));
    if (!failed) /* limits are read, not changed */
        failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
    return failed;
}

static int set_attributes(scmp_filter_ctx f)
{
    int failed = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!failed)
        failed = seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);
    if (!failed)
        failed = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    return failed ? failed : seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, no list */
}

static int load_allowed(enum syscall_need needs)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!f)
        return -ENOMEM;
    int failed = set_attributes(f);
    if (!failed)
        failed = add_names(f, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed);
    if (!failed)
        failed = add_names(f, SCMP_ACT_KILL_PROCESS, hostile, sizeof hostile / sizeof *hostile);
    if (!failed)
        failed = add_memory(f, needs);
    if (!failed)
        failed = add_threads(f);
    if (!failed)
        failed = seccomp_load(f);
    seccomp_release(f);
    return failed;
}

/* What types for the user of a terminal. A filter of its own: ioctl has too many uses to list, and one
 * filter cannot allow all but some. Of two the stricter counts. The kernel reads 32 bits. */
static int load_terminals(void)
{
    static const uint64_t refused[] = {TIOCSTI, TIOCLINUX};
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    if (!f)
        return -ENOMEM;
    int failed = set_attributes(f);
    for (size_t i = 0; i < sizeof refused / sizeof *refused && !failed; i++)
        failed = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, refused[i]));
    if (!failed)
        failed = seccomp_load(f);
    seccomp_release(f);
    return failed;
}

enum collide_status syscall_filter_install(enum syscall_need needs, struct collide_error *err)
{
    int failed = load_terminals(); /* first: the other allows no further ones */
    if (!failed)
        failed = load_allowed(needs);
    if (failed == -ENOMEM)
        return error_no_memory(err, "the filter of system calls");
    if (failed)
        return error_set_errno(err, COLLIDE_UNSUPPORTED, -failed,
                               "this kernel takes no filter of system calls; leave out --seccomp");
    return COLLIDE_OK;
}
