/* Another program, run to its end. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "collide/status.h"

#include <stdbool.h>

struct process_options {
    const char *path;         /* of the program; "/proc/self/exe" is the one that runs */
    const char *const *words; /* its command line, from its name on; ends with NULL */
    unsigned timeout_s;
    bool (*is_to_end)(void *context); /* asked many times a second; true: it is not waited for any more */
    void *context;
};

/* Waits for the program to end with exit code 0. It has /dev/null for its standard streams and no other
 * descriptor of this process, blocks no signal, and leaves the CPUs to others that want them. COLLIDE_BUSY:
 * it was to end; COLLIDE_IO: it could not be started, failed, or took too long. No process of it, nor of
 * those that it started, is left when this returns. Any thread; SIGCHLD must not be ignored. */
enum collide_status process_run(const struct process_options *options, struct collide_error *err);

#endif
