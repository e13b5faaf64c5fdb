/* A seccomp filter for the time in which a loaded server serves: seccomp(2). */
#ifndef NET_SYSCALL_FILTER_H
#define NET_SYSCALL_FILTER_H

#include "collide/status.h"

enum syscall_need {
    NEEDS_NOTHING_MORE = 0,
    NEEDS_MEMORY_FILES = 1, /* for clients over shared memory */
};

/* For all threads, those there are and those to come, for good. Allowed remains what answering on open
 * sockets, reading files and loading models whose kernels are built already take. All else fails with EPERM
 * and is told to the kernel's log; what only an intruder would try, such as to execute a program, ends the
 * process. No new sockets, no connections to elsewhere, no processes and no signals to others, no mapping
 * that is both written and executed. */
enum collide_status syscall_filter_install(enum syscall_need needs, struct collide_error *err);

#endif
