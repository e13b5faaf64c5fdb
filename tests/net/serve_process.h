/* `collide serve` as a process in the near namespace, with all transports, at the ports and by the names of
 * transport_fixture.h. */
#ifndef TESTS_NET_SERVE_PROCESS_H
#define TESTS_NET_SERVE_PROCESS_H

#include "net/veth.h"
#include "support/scratch.h"

struct serve_process {
    pid_t id;
    char log_path[2 * SCRATCH_PATH_BYTES];
};

/* Until it is ready; fails the test if it does not get there. The log is written into the folder. */
void serve_process_start(const struct veth *v, const struct scratch *folder, const char *model_path,
                         const char *shm_name, struct serve_process *out);

/* Waits for its end; the status of waitpid. */
int serve_process_signal(const struct serve_process *p, int signal_number);

#endif
