#include "cli/transport_args.h"

#include "base/error.h"
#include "transport/key_file.h"

#include <stdio.h>
#include <string.h>

static const char GROUP[] = "Datagrams";
const char *const poll_names[] = {
    [POLL_ADAPTIVE] = "adaptive", [POLL_SPIN] = "spin", [POLL_SLEEP] = "sleep", NULL};

struct transport_flags transport_flags_defaults(void)
{
    return (struct transport_flags){
        .xdp_port = 9000, .udp_threads = 1, .shm_threads = 1, .shm_clients = 64, .poll = POLL_ADAPTIVE};
}

void transport_args_fill_table(struct transport_flags *flags, struct arg table[N_TRANSPORT_ARGS])
{
    const struct arg args[N_TRANSPORT_ARGS] = {
        {.name = "xdp",
         .type = ARG_TEXT,
         .target = &flags->xdp,
         .value_name = "IFACE[:QUEUE,...]",
         .default_text = "off",
         .group = GROUP,
         .help = "answer datagrams (docs/WIRE.md) on these queues of a network interface by AF_XDP, past the "
                 "kernel's network stack: a thread a queue"},
        {.name = "xdp-port",
         .type = ARG_U64,
         .target = &flags->xdp_port,
         .min = 1,
         .max = 65535,
         .group = GROUP,
         .help = "the UDP port whose frames --xdp takes; all others pass"},
        {.name = "xdp-busy-poll",
         .type = ARG_U64,
         .target = &flags->xdp_busy_poll_us,
         .max = 1000,
         .value_name = "MICROSECONDS",
         .default_text = "0: interrupts drive it",
         .group = GROUP,
         .help = "a look that finds nothing runs the network driver for so long; for drivers of real cards, "
                 "with their interrupts deferred (docs/TRANSPORTS.md)"},
        {.name = "udp",
         .type = ARG_TEXT,
         .target = &flags->udp,
         .value_name = "HOST:PORT",
         .default_text = "off",
         .group = GROUP,
         .help = "answer datagrams on a UDP port"},
        {.name = "udp-threads",
         .type = ARG_U64,
         .target = &flags->udp_threads,
         .min = 1,
         .max = 256,
         .group = GROUP,
         .help = "threads, each with a socket on that port"},
        {.name = "shm",
         .type = ARG_TEXT,
         .target = &flags->shm,
         .value_name = "NAME",
         .default_text = "off",
         .group = GROUP,
         .help = "answer datagrams of clients on this machine through shared memory"},
        {.name = "shm-threads",
         .type = ARG_U64,
         .target = &flags->shm_threads,
         .min = 1,
         .max = 256,
         .group = GROUP,
         .help = "threads among which those clients are shared out"},
        {.name = "shm-clients",
         .type = ARG_U64,
         .target = &flags->shm_clients,
         .min = 1,
         .max = 4096,
         .group = GROUP,
         .help = "most clients of each of these threads"},
        {.name = "poll",
         .type = ARG_CHOICE,
         .target = &flags->poll,
         .choices = poll_names,
         .group = GROUP,
         .help = "while nothing comes, spin takes a CPU a thread for the least latency, sleep none; adaptive "
                 "spins for 50 us, then sleeps"},
        {.name = "cpus",
         .type = ARG_U64_LIST,
         .target = &flags->cpus,
         .max = 1023,
         .value_name = "CPU,...",
         .default_text = "--xdp: one a queue, others: none",
         .group = GROUP,
         .help = "CPUs that the threads of --xdp, --udp and --shm are pinned to, in this order"},
        {.name = "key",
         .type = ARG_TEXT,
         .target = &flags->key_file,
         .value_name = "FILE",
         .default_text = "none",
         .group = GROUP,
         .help = "32 hexadecimal digits: datagrams must carry a tag made with this key"},
    };
    memcpy(table, args, sizeof args);
}

static enum collide_status set_cpus(struct transport_flags *flags, struct transports_options *out,
                                    struct collide_error *err)
{
    unsigned n_threads = transports_n_threads(out);
    if (flags->cpus.n == 0)
        return COLLIDE_OK;
    if (flags->cpus.n != n_threads)
        return error_set(err, COLLIDE_INVALID, "--cpus names %zu CPUs for %u threads of datagram transports",
                         flags->cpus.n, n_threads);
    for (size_t i = 0; i < flags->cpus.n; i++)
        flags->cpu_numbers[i] = (int)flags->cpus.items[i];
    out->cpus = flags->cpu_numbers;
    return COLLIDE_OK;
}

static enum collide_status set_key(struct transport_flags *flags, const struct wire_key **key,
                                   struct collide_error *err)
{
    *key = NULL;
    if (!flags->key_file)
        return COLLIDE_OK;
    enum collide_status status = key_file_read(flags->key_file, flags->key_bytes, err);
    memcpy(flags->key.words, flags->key_bytes, sizeof flags->key.words);
    *key = &flags->key;
    return status;
}

enum collide_status transport_flags_options(struct transport_flags *flags, struct transports_options *out,
                                            const struct wire_key **key, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    *out = (struct transports_options){
        .xdp = {.port = (uint16_t)flags->xdp_port, .busy_poll_us = (unsigned)flags->xdp_busy_poll_us},
        .udp = {.listen = flags->udp, .n_threads = flags->udp ? (unsigned)flags->udp_threads : 0},
        .shm = {.name = flags->shm,
                .n_threads = flags->shm ? (unsigned)flags->shm_threads : 0,
                .max_clients = (unsigned)flags->shm_clients},
        .poll = (enum poll_policy)flags->poll,
    };
    if (flags->xdp) {
        if ((size_t)snprintf(flags->interface, sizeof flags->interface, "%s", flags->xdp) >=
            sizeof flags->interface)
            return error_set(err, COLLIDE_INVALID, "--xdp %.32s... is too long", flags->xdp);
        status = xdp_interface_parse(flags->interface, &out->xdp, err);
    }
    if (status == COLLIDE_OK)
        status = set_cpus(flags, out, err);
    return status == COLLIDE_OK ? set_key(flags, key, err) : status;
}
