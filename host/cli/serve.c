#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/device_args.h"
#include "cli/http_args.h"
#include "cli/transport_args.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { DRAIN_TIMEOUT_S = 10 };

struct serve_flags {
    struct service_options service;
    struct http_options http;
    struct transports_options transports;
    const char *model_path;
};

/* The model is loaded behind the open port, while the main thread already waits for signals. It has to be the
 * main one: drivers have threads that block nothing, and only a main thread that waits comes before them. */
struct loader {
    struct service *service;
    const struct http_server *http;
    unsigned n_http_threads;
    const char *model_path;
    pthread_t waiter; /* told with SIGTERM when loading fails */
    enum collide_status status;
    struct collide_error err;
};

static void *load(void *context)
{
    struct loader *l = context;
    l->status = service_load(l->service, l->model_path, &l->err);
    if (l->status != COLLIDE_OK)
        pthread_kill(l->waiter, SIGTERM);
    else if (service_state(l->service) == SERVICE_READY)
        log_info("ready on http://%s with %u threads", http_server_address(l->http), l->n_http_threads);
    return NULL;
}

/* Until SIGTERM or SIGINT, or until loading has failed. */
static enum collide_status answer_until_stopped(struct service *service, const struct http_server *http,
                                                const struct serve_flags *flags, const sigset_t *stop_signals,
                                                struct collide_error *err)
{
    struct loader loader = {.service = service,
                            .http = http,
                            .n_http_threads = flags->http.n_threads,
                            .model_path = flags->model_path,
                            .waiter = pthread_self()};
    pthread_t thread;
    int signal_number = 0;
    log_info("listening on http://%s, loading %s", http_server_address(http), flags->model_path);
    if (pthread_create(&thread, NULL, load, &loader) != 0)
        return error_no_memory(err, "the loading thread");
    sigwait(stop_signals, &signal_number);
    service_drain(service);
    pthread_join(thread, NULL);
    if (loader.status != COLLIDE_OK && loader.status != COLLIDE_BUSY) {
        *err = loader.err;
        return loader.status;
    }
    log_info("signal %d: answering what is in flight, then stopping", signal_number);
    return COLLIDE_OK;
}

static enum collide_status run(struct serve_flags *flags, const sigset_t *stop_signals,
                               struct collide_error *err)
{
    struct service *service = NULL;
    struct transports *transports = NULL;
    struct http_server *http = NULL;
    flags->transports.first_worker = flags->http.n_threads;
    flags->service.n_workers = flags->http.n_threads + transports_n_threads(&flags->transports);
    enum collide_status status = service_create(&flags->service, &service, err);
    if (status == COLLIDE_OK)
        status = transports_create(service, &flags->transports, &transports, err);
    flags->http.transports = transports;
    if (status == COLLIDE_OK)
        status = http_server_create(service, &flags->http, &http, err);
    if (status == COLLIDE_OK) {
        transports_log(transports);
        status = answer_until_stopped(service, http, flags, stop_signals, err);
    }
    http_server_destroy(http, DRAIN_TIMEOUT_S);
    transports_destroy(transports);
    service_destroy(service);
    return status;
}

int command_serve(int argc, char **argv)
{
    uint64_t max_delay_us = 0, max_batch = 0;
    struct device_flags device = {.shard = false};
    struct serve_flags flags = {.model_path = NULL};
    struct http_flags http = http_flags_defaults();
    struct transport_flags transport = transport_flags_defaults();
    const struct arg own[] = {
        {.name = "max-delay-us",
         .type = ARG_U64,
         .target = &max_delay_us,
         .max = 1000000,
         .group = "Batching",
         .value_name = "MICROSECONDS",
         .default_text = "0: none waits",
         .help = "how long a score request over HTTP may wait for others to share a launch with, with any "
                 "engine; "
                 "worth it on devices whose launches cost more than the wait. Not with --shard"},
        {.name = "max-batch",
         .type = ARG_U64,
         .target = &max_batch,
         .min = 1,
         .max = 1 << 20,
         .group = "Batching",
         .value_name = "QUERIES",
         .default_text = "1024",
         .help = "so many waiting queries end the wait, as 64 waiting requests do"},
        DEVICE_ARGS(&device),
    };
    enum { N_OWN = sizeof own / sizeof own[0] };
    struct arg table[N_HTTP_ARGS + N_OWN + N_TRANSPORT_ARGS];
    http_args_fill_table(&http, table);
    memcpy(table + N_HTTP_ARGS, own, sizeof own);
    transport_args_fill_table(&transport, table + N_HTTP_ARGS + N_OWN);
    struct usage usage = {"collide serve MODEL [options]",
                          "Answers scoring requests over HTTP, and as datagrams over AF_XDP, UDP and shared "
                          "memory.",
                          table, sizeof table / sizeof table[0], .positionals = {1, 1, "MODEL"}};
    struct collide_error err = {0};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (max_batch && !max_delay_us)
        return command_misused(&usage, "--max-batch goes with --max-delay-us");
    if (transport_flags_options(&transport, &flags.transports, &flags.service.key, &err) != COLLIDE_OK)
        return command_misused(&usage, err.text);
    flags.model_path = usage.positionals.values[0];
    flags.service.scorer = device_flags_options(&device);
    flags.service.scorer.max_delay_us = (unsigned)max_delay_us;
    flags.service.scorer.max_batch = (unsigned)max_batch;
    if (!args_first_given(&usage.args, (const char *const[]){"http-poll", NULL}))
        http.poll = transport.poll;
    http_flags_options(&http, &flags.http, &flags.service.limits);

    /* Blocked before any thread starts, so that every thread inherits it and only sigwait sees them. */
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGTERM);
    sigaddset(&stop_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return run(&flags, &stop_signals, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
