#include "base/log.h"
#include "cli/command.h"
#include "cli/device_args.h"
#include "cli/http_args.h"
#include "cli/kernel_process.h"
#include "cli/security.h"
#include "cli/serve_signals.h"
#include "cli/served_args.h"
#include "cli/transport_args.h"
#include "observe/access_log.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* OTHER_FILES: than connections that a server has open, with room to spare. */
enum { DRAIN_TIMEOUT_S = 10, OTHER_FILES = 64 };

struct serve_flags {
    struct service_options service;
    struct http_options http;
    struct transports_options transports;
    struct served_flags served;
    struct security_flags security;
    const char *listen;
};

/* Models are loaded behind the open port, while the main thread already waits for signals. */
struct start {
    struct service *service;
    struct http_server *http;
    struct security security;
    unsigned n_http_threads;
    pthread_t waiter; /* told with SIGTERM when loading fails */
    struct collide_error err;
};

static void on_started(void *context, const struct collide_error *err)
{
    struct start *s = context;
    s->err = *err;
    if (err->status == COLLIDE_OK)
        security_filter(&s->security, s->service, &s->err);
    if (s->err.status != COLLIDE_OK) {
        pthread_kill(s->waiter, SIGTERM);
        return;
    }
    if (service_state(s->service) == SERVICE_READY)
        log_info("ready on %s with %u threads", http_server_url(s->http), s->n_http_threads);
    else
        log_info("nothing to serve so far; waiting for a model");
    notify_ready(&s->security.notify, http_server_url(s->http));
}

/* The watchdog is fed meanwhile: what it is to see is that signals are heeded. */
static int wait_for_signal(const struct notify *notify, const sigset_t *signals)
{
    const struct timespec interval = {.tv_sec = (time_t)(notify->watchdog_ns / 1000000000),
                                      .tv_nsec = (long)(notify->watchdog_ns % 1000000000)};
    for (;;) {
        int signal_number = sigtimedwait(signals, NULL, notify->watchdog_ns ? &interval : NULL);
        if (signal_number > 0)
            return signal_number;
        notify_alive(notify);
    }
}

static void on_reloaded(void *context, const struct collide_error *err)
{
    notify_ready(context, err->status == COLLIDE_OK ? "reloaded" : err->text);
}

static void reload(struct start *start, struct loader *loader)
{
    struct access_log *log = observer_access_log(service_observer(start->service));
    struct notify *notify = &start->security.notify;
    const struct load_order stale = {.kind = RELOAD_STALE, .done = on_reloaded, .context = notify};
    struct collide_error err;
    log_info("SIGHUP: loading models whose files have changed%s", log ? ", opening the access log anew" : "");
    notify_reloading(notify);
    security_reload(&start->security);
    if (log)
        access_log_reopen(log);
    if (loader_order(loader, &stale, &err) != COLLIDE_OK) {
        log_warning("%s", err.text);
        on_reloaded(notify, &err);
    }
}

/* Until SIGTERM or SIGINT, which is returned. */
static int wait_for_stop(struct start *start, struct loader *loader, const sigset_t *signals)
{
    int signal_number;
    while ((signal_number = wait_for_signal(&start->security.notify, signals)) == SIGHUP)
        reload(start, loader);
    notify_stopping(&start->security.notify);
    return signal_number;
}

/* Or until loading has failed. */
static enum collide_status answer_until_stopped(struct start *start, struct loader *loader,
                                                const struct serve_flags *flags, const sigset_t *signals,
                                                struct collide_error *err)
{
    char what[256];
    served_flags_print(&flags->served, what, sizeof what);
    log_info("listening on %s, loading %s", http_server_url(start->http), what);
    enum collide_status status = loader_start(loader, err);
    int signal_number = status == COLLIDE_OK ? wait_for_stop(start, loader, signals) : 0;
    service_drain(start->service);
    loader_stop(loader); /* without a thread, too: HTTP may have given it orders */
    if (status != COLLIDE_OK)
        return status;
    if (start->err.status != COLLIDE_OK && start->err.status != COLLIDE_BUSY) {
        *err = start->err;
        return err->status;
    }
    log_info("signal %d: answering what is in flight, then stopping", signal_number);
    return COLLIDE_OK;
}

static enum collide_status run(struct serve_flags *flags, const sigset_t *signals, struct collide_error *err)
{
    struct start start = {.n_http_threads = flags->http.n_threads, .waiter = pthread_self()};
    struct transports *transports = NULL;
    struct loader *loader = NULL;
    enum collide_status status = security_open(&flags->security, flags->listen, &start.security, err);
    if (status != COLLIDE_OK)
        return status;
    if (flags->transports.shm.n_threads)
        start.security.needs = NEEDS_MEMORY_FILES;
    security_lend(&start.security, &flags->http);
    flags->transports.first_worker = http_n_threads(&flags->http);
    flags->service.n_workers = flags->transports.first_worker + transports_n_threads(&flags->transports);
    status = service_create(&flags->service, &start.service, err);
    if (status == COLLIDE_OK)
        status = served_flags_add(&flags->served, start.service, err);
    if (status == COLLIDE_OK)
        status = transports_create(start.service, &flags->transports, &transports, err);
    if (status == COLLIDE_OK)
        status = security_drop(&start.security, err);
    const struct loader_options loading = {
        .service = start.service, .folder = flags->served.folder, .started = on_started, .context = &start};
    if (status == COLLIDE_OK)
        status = loader_create(&loading, &loader, err);
    flags->http.transports = transports;
    flags->http.loader = loader;
    if (status == COLLIDE_OK)
        status = http_server_create(start.service, &flags->http, &start.http, err);
    if (status == COLLIDE_OK) {
        transports_log(transports);
        status = answer_until_stopped(&start, loader, flags, signals, err);
    }
    http_server_destroy(start.http, DRAIN_TIMEOUT_S);
    loader_destroy(loader);
    transports_destroy(transports);
    service_destroy(start.service);
    security_close(&start.security);
    return status;
}

/* Connections beyond what the system allows would be accepted by nobody, and waited for by a busy thread. */
static void fit_connections(unsigned *max_connections)
{
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    const rlim_t most = files.rlim_cur > OTHER_FILES ? files.rlim_cur - OTHER_FILES : 1;
    if (*max_connections <= most)
        return;
    log_warning(
        "--max-connections %u: this process may have %llu files open, so it takes %llu; raise `ulimit -n`, "
        "or LimitNOFILE= of systemd",
        *max_connections, (unsigned long long)files.rlim_cur, (unsigned long long)most);
    *max_connections = (unsigned)most;
}

int command_serve(int argc, char **argv)
{
    uint64_t max_delay_us = 0, max_batch = 0, slow_us = 10000;
    struct device_flags device = {.shard = false};
    struct serve_flags flags = {.served = served_flags_defaults(), .security = security_flags_defaults()};
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
        {.name = "access-log",
         .type = ARG_TEXT,
         .target = &flags.service.access_log,
         .value_name = "FILE",
         .group = "Observing",
         .default_text = "none",
         .help = "append a line of JSON for each HTTP request; - is standard error"},
        {.name = "slow-us",
         .type = ARG_U64,
         .target = &slow_us,
         .max = UINT32_MAX,
         .group = "Observing",
         .value_name = "MICROSECONDS",
         .help = "keep the last requests that took longer, for GET /debug/slow; 0: none"},
        DEVICE_ARGS(&device),
    };
    enum { N_OWN = sizeof own / sizeof own[0] };
    struct arg table[N_SERVED_ARGS + N_HTTP_ARGS + N_OWN + N_TRANSPORT_ARGS + N_SECURITY_ARGS];
    served_args_fill_table(&flags.served, table);
    http_args_fill_table(&http, table + N_SERVED_ARGS);
    memcpy(table + N_SERVED_ARGS + N_HTTP_ARGS, own, sizeof own);
    transport_args_fill_table(&transport, table + N_SERVED_ARGS + N_HTTP_ARGS + N_OWN);
    security_args_fill_table(&flags.security, table + N_SERVED_ARGS + N_HTTP_ARGS + N_OWN + N_TRANSPORT_ARGS);
    struct usage usage = {"collide serve [MODEL] [options]",
                          "Answers scoring requests over HTTP, and as datagrams over AF_XDP, UDP and shared "
                          "memory.",
                          table, sizeof table / sizeof table[0], .positionals = {0, 1, "MODEL"}};
    struct collide_error err = {0};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (max_batch && !max_delay_us)
        return command_misused(&usage, "--max-batch goes with --max-delay-us");
    if (transport_flags_options(&transport, &flags.transports, &flags.service.key, &err) != COLLIDE_OK)
        return command_misused(&usage, err.text);
    if (security_flags_check(&flags.security, &err) != COLLIDE_OK)
        return command_misused(&usage, err.text);
    flags.listen = http.listen;
    flags.service.scorer = device_flags_options(&device);
    flags.served.model_path = usage.positionals.n ? usage.positionals.values[0] : NULL;
    if (served_flags_options(&flags.served, &flags.service, &err) != COLLIDE_OK)
        return command_misused(&usage, err.text);
    flags.service.kernel_builder = kernel_process_builder(&device);
    flags.service.scorer.max_delay_us = (unsigned)max_delay_us;
    flags.service.scorer.max_batch = (unsigned)max_batch;
    bool has_datagrams = transports_n_threads(&flags.transports) > 0; /* whose CPUs spinning would take */
    if (!args_first_given(&usage.args, (const char *const[]){"http-poll", NULL}) && !has_datagrams)
        http.poll = transport.poll;
    flags.service.slow_ns = slow_us * 1000;
    http_flags_options(&http, &flags.http, &flags.service.limits);
    fit_connections(&flags.http.max_connections);

    const sigset_t signals = serve_signals_block();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* else nobody could tell how a process that builds kernels has ended */
    return run(&flags, &signals, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
