/* The flags of serve that are about HTTP. */
#ifndef CLI_HTTP_ARGS_H
#define CLI_HTTP_ARGS_H

#include "base/args.h"
#include "http/server.h"

struct http_flags {
    const char *listen;
    uint64_t threads, max_queue_us, max_body, max_items, max_history, max_requests, max_connections,
        idle_timeout, request_timeout;
    int poll; /* enum poll_policy */
};

struct http_flags http_flags_defaults(void);

enum { N_HTTP_ARGS = 11 };
void http_args_fill_table(struct http_flags *flags, struct arg table[N_HTTP_ARGS]);

/* *http borrows from flags. */
void http_flags_options(const struct http_flags *flags, struct http_options *http,
                        struct request_limits *limits);

#endif
