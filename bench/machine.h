/* What a figure was measured on. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

struct machine {
    char cpu[128];    /* model name, or the architecture */
    unsigned n_cpus;  /* this process may run on */
    char kernel[160]; /* such as "Linux 6.18.0" */
};

struct machine machine_describe(void);

#endif
