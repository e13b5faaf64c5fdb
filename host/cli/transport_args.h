/* The flags of serve that open datagram transports. */
#ifndef CLI_TRANSPORT_ARGS_H
#define CLI_TRANSPORT_ARGS_H

#include "base/args.h"
#include "net/transports.h"

/* The names of enum poll_policy, for ARG_CHOICE. */
extern const char *const poll_names[];

struct transport_flags {
    const char *xdp; /* IFACE[:QUEUE,...] */
    uint64_t xdp_port, xdp_busy_poll_us;
    const char *udp;
    uint64_t udp_threads;
    const char *shm;
    uint64_t shm_threads, shm_clients;
    int poll; /* enum poll_policy */
    struct arg_u64_list cpus;
    const char *key_file;
    /* What the options borrow. */
    char interface[64];
    int cpu_numbers[ARG_LIST_MAX];
    uint8_t key_bytes[16];
    struct wire_key key;
};

struct transport_flags transport_flags_defaults(void);

enum { N_TRANSPORT_ARGS = 11 };
void transport_args_fill_table(struct transport_flags *flags, struct arg table[N_TRANSPORT_ARGS]);

/* What parsed flags ask for; COLLIDE_INVALID if they do not go together. *out borrows from flags; *key is
 * NULL without --key. */
enum collide_status transport_flags_options(struct transport_flags *flags, struct transports_options *out,
                                            const struct wire_key **key, struct collide_error *err);

#endif
