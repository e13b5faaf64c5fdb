#include "base/dispatch.h"
#include "commands.h"
#include "load_kinds.h"

static int sweep_http(int argc, char **argv)
{
    return load_http(LOAD_SWEEP, argc, argv);
}

static int sweep_udp(int argc, char **argv)
{
    return load_udp(LOAD_SWEEP, argc, argv);
}

static int sweep_xdp(int argc, char **argv)
{
    return load_xdp(LOAD_SWEEP, argc, argv);
}

static int sweep_shm(int argc, char **argv)
{
    return load_shm(LOAD_SWEEP, argc, argv);
}

int bench_sweep(int argc, char **argv)
{
    static const struct subcommand kinds[] = {
        {"http", "over HTTP", sweep_http},
        {"udp", "over UDP datagrams", sweep_udp},
        {"xdp", "over AF_XDP", sweep_xdp},
        {"shm", "through shared memory", sweep_shm},
    };
    const struct dispatch sweep = {.program = "collide-bench sweep",
                                   .about = "latency against the offered rate",
                                   .commands = kinds,
                                   .n_commands = sizeof kinds / sizeof kinds[0]};
    return dispatch_run(&sweep, argc, argv);
}
