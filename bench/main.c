#include "base/dispatch.h"
#include "commands.h"

static const struct subcommand commands[] = {
    {"http", "latency and throughput of a server over HTTP", bench_http},
    {"udp", "the same over UDP datagrams", bench_udp},
    {"xdp", "the same over AF_XDP, past the kernel's network stack", bench_xdp},
    {"shm", "the same through shared memory", bench_shm},
    {"sweep", "latency against the offered rate, of any of these", bench_sweep},
    {"echo", "a bare echo of datagrams or over HTTP, to compare with", bench_echo},
    {"report", "one HTML page of results", bench_report},
    {"kernel", "remap + embedding-bag on a device, beside plain scalar C and random lines", bench_kernel},
    {"launch", "the way to a device and back", bench_launch},
    {"start", "how soon a model of some size answers", bench_start},
    {"topk", "the best of all items, beside scoring every item", bench_topk},
    {"numbers", "scores printed and ids read as JSON has them, beside printf and strtoull", bench_numbers},
    {"tune", "finds and keeps the kernels' best form for a device", bench_tune},
};

int main(int argc, char **argv)
{
    const struct dispatch bench = {.program = "collide-bench",
                                   .about = "measures collide",
                                   .commands = commands,
                                   .n_commands = sizeof commands / sizeof commands[0]};
    return dispatch_main(&bench, argc, argv);
}
