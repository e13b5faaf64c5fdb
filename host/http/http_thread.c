#include "http/http_thread.h"

#include "base/error.h"
#include "base/log.h"
#include "http/company.h"
#include "http/handling.h"

#include <fcntl.h>
#include <gnutls/abstract.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_thread {
    struct http_handling handling;
    struct MHD_Daemon *daemon;
    int events;   /* the daemon's epoll descriptor */
    int order_fd; /* tells of an order below */
    atomic_bool quiesce, stop;
    pthread_t thread;
    bool is_running;
};

/* Headers fit beside a chunk of the body; libmicrohttpd clears it all between requests. */
enum { CONNECTION_MEMORY_BYTES = 16 * 1024 };

enum { WAIT_MS = 100 };

/* A path with an escaped end of a text, or an escaped slash, which proxies may see otherwise, stays escaped,
 * and is none that there is. */
static size_t on_unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    if (!strchr(text, '%'))
        return strlen(text);
    bool is_tricky = strstr(text, "%00") || strcasestr(text, "%2f");
    return is_tricky ? strlen(text) : MHD_http_unescape(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *context, const char *format, va_list args)
{
    char text[512];
    (void)context;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http: %s", text);
}

/* Until something comes, an order is given or a connection may be late. */
static void wait_for_events(const struct http_thread *t)
{
    struct pollfd fds[] = {{.fd = t->events, .events = POLLIN}, {.fd = t->order_fd, .events = POLLIN}};
    MHD_UNSIGNED_LONG_LONG due_ms = WAIT_MS;
    if (MHD_get_timeout(t->daemon, &due_ms) != MHD_YES || due_ms > WAIT_MS)
        due_ms = WAIT_MS;
    eventfd_t n_orders;
    if (poll(fds, 2, (int)due_ms) > 0 && fds[1].revents)
        eventfd_read(t->order_fd, &n_orders);
}

/* Who has connected is answered still. */
static void obey_quiesce(struct http_thread *t)
{
    MHD_socket own = MHD_quiesce_daemon(t->daemon);
    if (own == MHD_INVALID_SOCKET)
        return;
    struct sockaddr_storage from;
    for (;;) {
        socklen_t n = sizeof from;
        int fd = accept4(own, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 || MHD_add_connection(t->daemon, fd, (struct sockaddr *)&from, n) != MHD_YES)
            break;
    }
    close(own);
}

static void *run(void *context)
{
    struct http_thread *t = context;
    struct idle idle = {.poll = t->handling.options->poll};
    bool is_quiet = false;
    while (!atomic_load_explicit(&t->stop, memory_order_relaxed)) {
        http_handling_begin_turn(&t->handling);
        MHD_run(t->daemon);
        t->handling.is_active |= http_company_answer(&t->handling.context);
        if (!is_quiet && atomic_load_explicit(&t->quiesce, memory_order_relaxed)) {
            obey_quiesce(t);
            is_quiet = true;
        }
        http_connections_sweep(&t->handling.connections, t->handling.turn_ns);
        if (t->handling.is_active)
            idle_end(&idle);
        else if (idle_sleeps(&idle))
            wait_for_events(t);
    }
    return NULL;
}

static void order(struct http_thread *t, atomic_bool *what)
{
    atomic_store(what, true);
    eventfd_write(t->order_fd, 1);
}

void http_thread_quiesce(struct http_thread *t)
{
    order(t, &t->quiesce);
}

unsigned http_thread_n_begun(const struct http_thread *t)
{
    return atomic_load(&t->handling.n_begun);
}

/* libmicrohttpd wants to know where certificates come from, though each session is given its own. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
                          const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **chain,
                          unsigned *n_chain, gnutls_privkey_t *key)
{
    (void)session, (void)authorities, (void)n_authorities, (void)algorithms, (void)n_algorithms;
    (void)chain, (void)n_chain, (void)key;
    return -1;
}

static enum collide_status start_daemon(struct http_thread *t, struct collide_error *err)
{
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)no_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct http_options *o = t->handling.options;
    unsigned worker = t->handling.context.worker;
    int own = fcntl(t->handling.door.listener, F_DUPFD_CLOEXEC, 0); /* each daemon closes its own */
    if (own < 0)
        return error_set(err, COLLIDE_IO, "out of file descriptors for HTTP thread %u", worker);
    unsigned share = (o->max_connections + o->n_threads - 1) / o->n_threads;
    t->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME |
                                     (t->handling.door.tls ? MHD_USE_TLS : 0),
                                 0, NULL, NULL, http_on_request, &t->handling,                        //
                                 MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,                            //
                                 MHD_OPTION_LISTEN_SOCKET, own,                                       //
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1,                                     //
                                 MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,                     //
                                 MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, &t->handling,      //
                                 MHD_OPTION_URI_LOG_CALLBACK, http_on_begin, &t->handling,            //
                                 MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, &t->handling,        //
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, //
                                 MHD_OPTION_CONNECTION_LIMIT, share,                                  //
                                 MHD_OPTION_CONNECTION_TIMEOUT, o->idle_timeout_s, MHD_OPTION_ARRAY,
                                 t->handling.door.tls ? tls : &tls[2], MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        t->daemon ? MHD_get_daemon_info(t->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!t->daemon)
        close(own);
    if (!info)
        return error_set(err, COLLIDE_IO, "cannot start HTTP thread %u; are there too many open files",
                         worker);
    t->events = info->epoll_fd;
    return COLLIDE_OK;
}

static enum collide_status start(struct http_thread *t, struct collide_error *err)
{
    t->order_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->order_fd < 0)
        return error_set(err, COLLIDE_IO, "out of file descriptors for HTTP thread %u",
                         t->handling.context.worker);
    enum collide_status status = start_daemon(t, err);
    if (status != COLLIDE_OK)
        return status;
    int failed = pthread_create(&t->thread, NULL, run, t);
    if (failed)
        return error_set_errno(err, COLLIDE_NO_MEMORY, failed, "cannot start HTTP thread %u",
                               t->handling.context.worker);
    t->is_running = true;
    return COLLIDE_OK;
}

enum collide_status http_thread_create(const struct http_context *context, const struct http_options *options,
                                       const struct http_door *door, struct http_thread **out,
                                       struct collide_error *err)
{
    struct http_thread *t = calloc(1, sizeof *t);
    if (!t)
        return error_no_memory(err, "an HTTP thread");
    t->order_fd = -1;
    http_handling_init(&t->handling, context, options, door);
    t->handling.context.company = http_company_create();
    enum collide_status status =
        t->handling.context.company ? start(t, err) : error_no_memory(err, "an HTTP thread");
    if (status != COLLIDE_OK) {
        http_thread_destroy(t);
        return status;
    }
    *out = t;
    return COLLIDE_OK;
}

void http_thread_destroy(struct http_thread *t)
{
    if (!t)
        return;
    if (t->is_running) {
        order(t, &t->stop);
        pthread_join(t->thread, NULL);
    }
    if (t->daemon)
        MHD_stop_daemon(t->daemon);
    if (t->order_fd >= 0)
        close(t->order_fd);
    http_company_destroy(t->handling.context.company);
    http_handling_free(&t->handling);
    free(t);
}
