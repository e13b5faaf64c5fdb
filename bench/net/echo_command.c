#include "base/args.h"
#include "base/error.h"
#include "base/log.h"
#include "commands.h"
#include "echo.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

enum echo_wait { ECHO_SPINS, ECHO_SLEEPS };

/* The echo's thread, while the main one waits for signals. */
struct echo_thread {
    struct echo_options options;
    atomic_bool stop;
    pthread_t waiter; /* told with SIGTERM when the echo fails */
    enum collide_status status;
    struct collide_error err;
};

static void tell_ready(void *context, const char *where)
{
    (void)context;
    log_info("echoing on %s", where);
}

static void *run_echo(void *context)
{
    struct echo_thread *t = context;
    t->status = echo_run(&t->options, &t->stop, &t->err);
    if (t->status != COLLIDE_OK)
        pthread_kill(t->waiter, SIGTERM);
    return NULL;
}

static enum collide_status echo_until_stopped(const struct echo_options *options, struct collide_error *err)
{
    struct echo_thread t = {.options = *options, .waiter = pthread_self()};
    sigset_t stop_signals;
    pthread_t thread;
    int signal_number = 0;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    if (pthread_create(&thread, NULL, run_echo, &t) != 0)
        return error_no_memory(err, "the echo's thread");
    sigwait(&stop_signals, &signal_number);
    atomic_store(&t.stop, true);
    pthread_join(thread, NULL);
    if (t.status != COLLIDE_OK)
        *err = t.err;
    return t.status;
}

static enum collide_status choose(const char *transport, int wait, uint64_t port, struct echo_options *o,
                                  struct collide_error *err)
{
    if (strcmp(transport, "udp") == 0) {
        o->kind = wait == ECHO_SPINS ? ECHO_UDP_SPIN : ECHO_UDP_BLOCK;
        return COLLIDE_OK;
    }
    if (strcmp(transport, "http") == 0) {
        o->kind = wait == ECHO_SPINS ? ECHO_HTTP_SPIN : ECHO_HTTP_BLOCK;
        return COLLIDE_OK;
    }
    if (strcmp(transport, "xdp") != 0)
        return error_set(err, COLLIDE_INVALID, "'%s' is none of udp, http and xdp", transport);
    if (port == 0)
        return error_set(err, COLLIDE_INVALID, "echo xdp needs a --port");
    if (wait != ECHO_SPINS)
        return error_set(err, COLLIDE_INVALID, "echo xdp always spins");
    o->kind = ECHO_XDP;
    o->port = (uint16_t)port;
    return COLLIDE_OK;
}

int bench_echo(int argc, char **argv)
{
    static const char *const wait_names[] = {[ECHO_SPINS] = "spin", [ECHO_SLEEPS] = "sleep", NULL};
    int wait = ECHO_SPINS;
    uint64_t port = 0;
    const struct arg table[] = {
        {"port", 'p', ARG_U64, &port, .min = 1, .max = 65535, .default_text = "", .help = "xdp: UDP port"},
        {"poll", '\0', ARG_CHOICE, &wait, .choices = wait_names,
         .help = "udp and http: how to wait for what comes"},
    };
    struct args args = {.table = table, .n = sizeof table / sizeof table[0]};
    struct args_positionals positionals = {
        .min = 2, .max = 2, .names = "udp|http|xdp HOST:PORT|IFACE[:QUEUE]"};
    struct echo_options options = {.ready = tell_ready};
    struct collide_error err;
    switch (args_parse(&args, argc, argv, &positionals, &err)) {
    case ARGS_HELP:
        args_print_help(
            stdout,
            "collide-bench echo udp|http [--poll spin|sleep] HOST:PORT\n"
            "       collide-bench echo xdp --port P IFACE[:QUEUE]",
            "Sends back every datagram, or body, as it came, until SIGINT or SIGTERM: what a transport "
            "costs when nothing is computed. See --baseline-address of udp and xdp.",
            &args);
        return EXIT_DONE;
    case ARGS_BAD:
        log_error("%s", err.text);
        return EXIT_USAGE;
    case ARGS_OK:
        break;
    }
    enum collide_status status = choose(positionals.values[0], wait, port, &options, &err);
    bool is_usage = status != COLLIDE_OK;
    options.where = positionals.values[1];
    if (status == COLLIDE_OK)
        status = echo_until_stopped(&options, &err);
    if (status == COLLIDE_OK)
        return EXIT_DONE;
    log_error("%s", err.text);
    return is_usage ? EXIT_USAGE : EXIT_FAILED;
}
