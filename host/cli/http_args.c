#include "cli/http_args.h"

#include "base/parallel.h"
#include "cli/transport_args.h"

#include <string.h>

struct http_flags http_flags_defaults(void)
{
    return (struct http_flags){.listen = "127.0.0.1:8080",
                               .threads = parallel_n_cpus(),
                               .max_queue_us = 1000000,
                               .max_body = 8 << 20,
                               .max_items = 100000,
                               .max_history = 100000,
                               .max_requests = 10000,
                               .max_connections = 1000,
                               .idle_timeout = 60,
                               .request_timeout = 30,
                               .poll = POLL_ADAPTIVE};
}

void http_args_fill_table(struct http_flags *flags, struct arg table[N_HTTP_ARGS])
{
    const struct arg args[N_HTTP_ARGS] = {
        {.name = "listen",
         .type = ARG_TEXT,
         .target = &flags->listen,
         .value_name = "ADDRESS",
         .group = "HTTP",
         .help =
             "where to listen: HOST:PORT, of which port 0 takes a free one and no HOST all addresses of the "
             "machine; unix:PATH; or fd:NAME, a socket of systemd's"},
        {.name = "threads",
         .type = ARG_U64,
         .target = &flags->threads,
         .min = 1,
         .max = 1024,
         .group = "HTTP",
         .default_text = "one a CPU",
         .help = "HTTP threads, each with its own way to the device"},
        {.name = "http-poll",
         .type = ARG_CHOICE,
         .target = &flags->poll,
         .choices = poll_names,
         .group = "HTTP",
         .default_text = "as --poll; adaptive beside --xdp, --udp and --shm",
         .help = "how HTTP threads wait for requests"},
        {.name = "max-queue-us",
         .type = ARG_U64,
         .target = &flags->max_queue_us,
         .min = 1,
         .max = 60000000,
         .group = "Limits",
         .value_name = "MICROSECONDS",
         .help = "requests that have waited this long for others are refused with 503; sooner while a "
                 "queue stands"},
        {.name = "max-body",
         .type = ARG_U64,
         .target = &flags->max_body,
         .min = 1,
         .group = "Limits",
         .value_name = "BYTES",
         .help = "largest request body"},
        {.name = "max-items",
         .type = ARG_U64,
         .target = &flags->max_items,
         .min = 1,
         .max = UINT32_MAX / 2,
         .group = "Limits",
         .help = "most scores of a request, of a whole batch together; and largest k"},
        {.name = "max-history",
         .type = ARG_U64,
         .target = &flags->max_history,
         .min = 1,
         .max = UINT32_MAX / 2,
         .group = "Limits",
         .help = "longest history in a request"},
        {.name = "max-requests",
         .type = ARG_U64,
         .target = &flags->max_requests,
         .min = 1,
         .max = UINT32_MAX / 2,
         .group = "Limits",
         .help = "most requests in a batch"},
        {.name = "max-connections",
         .type = ARG_U64,
         .target = &flags->max_connections,
         .min = 1,
         .max = 1000000,
         .group = "Limits",
         .help = "most connections at once"},
        {.name = "idle-timeout",
         .type = ARG_U64,
         .target = &flags->idle_timeout,
         .min = 1,
         .max = 86400,
         .group = "Limits",
         .value_name = "SECONDS",
         .help = "connections without a request are closed after this long"},
        {.name = "request-timeout",
         .type = ARG_U64,
         .target = &flags->request_timeout,
         .min = 1,
         .max = 86400,
         .group = "Limits",
         .value_name = "SECONDS",
         .help = "a request must have come, and its answer gone, within this long of its first line"},
    };
    memcpy(table, args, sizeof args);
}

void http_flags_options(const struct http_flags *flags, struct http_options *http,
                        struct request_limits *limits)
{
    *http = (struct http_options){.n_threads = (unsigned)flags->threads,
                                  .poll = (enum poll_policy)flags->poll,
                                  .max_queue_us = (unsigned)flags->max_queue_us,
                                  .max_body_bytes = flags->max_body,
                                  .max_connections = (unsigned)flags->max_connections,
                                  .idle_timeout_s = (unsigned)flags->idle_timeout,
                                  .request_timeout_s = (unsigned)flags->request_timeout};
    *limits = (struct request_limits){
        .max_parts = flags->max_requests, .max_items = flags->max_items, .max_history = flags->max_history};
}
