/* What the system says of this process. */
#ifndef OBSERVE_PROCESS_FIGURES_H
#define OBSERVE_PROCESS_FIGURES_H

#include <stdint.h>

/* NaN: not to be had. */
struct process_figures {
    double cpu_seconds; /* user's and system's, of all threads */
    double resident_bytes, virtual_bytes;
    double n_open_fds, max_fds;
    double n_threads;
};

void process_figures_read(struct process_figures *out);

#endif
