/* The flags of serve that say who may ask, and what the process gives up. */
#ifndef CLI_SECURITY_ARGS_H
#define CLI_SECURITY_ARGS_H

#include "base/args.h"
#include "net/rate_limit.h"

struct security_flags {
    const char *admin_listen, *api_keys, *tls_cert, *tls_key, *rate, *user;
    uint64_t burst;
    int seccomp;                     /* 0: off, 1: on */
    struct rate_limit_options limit; /* per_second 0: none */
};

struct security_flags security_flags_defaults(void);

enum { N_SECURITY_ARGS = 8 };
void security_args_fill_table(struct security_flags *flags, struct arg table[N_SECURITY_ARGS]);

/* Reads --rate into the limit; COLLIDE_INVALID if the flags do not go together. */
enum collide_status security_flags_check(struct security_flags *flags, struct collide_error *err);

#endif
