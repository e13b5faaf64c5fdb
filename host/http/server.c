#include "http/server.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/http_thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct http_server {
    struct http_options options;
    struct listener listener, admin;
    char url[LISTENER_CHARS + 8];
    unsigned n_threads;
    struct http_thread *threads[]; /* (n_threads) */
};

/* A drain ends once nothing has come for so long: what clients had sent before they could know is answered.
 */
enum { DRAIN_POLL_NS = 2000000 };
static const double DRAIN_QUIET_S = 0.1;

unsigned http_n_threads(const struct http_options *options)
{
    return options->n_threads + (options->admin != NULL);
}

static void take(struct listener *from, struct listener *to)
{
    *to = from ? *from : (struct listener){.fd = -1};
    if (from)
        *from = (struct listener){.fd = -1};
}

static enum collide_status start_thread(struct http_server *h, struct service *service,
                                        const struct http_door *door, struct collide_error *err)
{
    const struct http_context context = {.service = service,
                                         .worker = h->n_threads,
                                         .transports = h->options.transports,
                                         .loader = h->options.loader};
    enum collide_status status =
        http_thread_create(&context, &h->options, door, &h->threads[h->n_threads], err);
    h->n_threads += status == COLLIDE_OK;
    return status;
}

/* Unix sockets have no need of TLS: nobody listens in. */
static struct http_door door_of(const struct http_server *h, const struct listener *l, unsigned hidden)
{
    return (struct http_door){.listener = l->fd,
                              .hidden = hidden,
                              .tls = l->reach == LISTENER_UNIX ? NULL : h->options.tls,
                              .gate = &h->options.gate};
}

static enum collide_status start_threads(struct http_server *h, struct service *service,
                                         struct collide_error *err)
{
    bool has_admin = h->admin.fd >= 0;
    bool hides_admin = has_admin || h->listener.reach == LISTENER_NETWORK;
    const struct http_door front = door_of(h, &h->listener, hides_admin ? HTTP_IS_ADMIN : 0),
                           back = door_of(h, &h->admin, 0);
    enum collide_status status = COLLIDE_OK;
    for (unsigned i = 0; i < h->options.n_threads && status == COLLIDE_OK; i++)
        status = start_thread(h, service, &front, err);
    return status == COLLIDE_OK && has_admin ? start_thread(h, service, &back, err) : status;
}

static void print_url(struct http_server *h)
{
    const char *scheme = h->options.tls ? "https://" : "http://";
    snprintf(h->url, sizeof h->url, "%s%s", h->listener.reach == LISTENER_UNIX ? "" : scheme,
             h->listener.address);
}

enum collide_status http_server_create(struct service *service, const struct http_options *options,
                                       struct http_server **out, struct collide_error *err)
{
    struct http_server *h = calloc(1, sizeof *h + http_n_threads(options) * sizeof h->threads[0]);
    if (!h)
        return error_no_memory(err, "the HTTP server");
    h->options = *options;
    take(options->listener, &h->listener);
    take(options->admin, &h->admin);
    print_url(h);
    enum collide_status status = start_threads(h, service, err);
    if (status != COLLIDE_OK) {
        http_server_destroy(h, 0);
        return status;
    }
    *out = h;
    return COLLIDE_OK;
}

const char *http_server_url(const struct http_server *h)
{
    return h->url;
}

static unsigned n_begun(const struct http_server *h)
{
    unsigned n = 0;
    for (unsigned i = 0; i < h->n_threads; i++)
        n += http_thread_n_begun(h->threads[i]);
    return n;
}

static void drain(const struct http_server *h, unsigned timeout_s)
{
    uint64_t start = clock_now_ns(), busy = start;
    while (clock_seconds_since(start) < timeout_s && clock_seconds_since(busy) < DRAIN_QUIET_S) {
        nanosleep(&(struct timespec){.tv_nsec = DRAIN_POLL_NS}, NULL);
        if (n_begun(h) > 0)
            busy = clock_now_ns();
    }
    if (n_begun(h) > 0 && timeout_s > 0)
        log_warning("%u requests did not end within %u s and are cut off", n_begun(h), timeout_s);
}

void http_server_destroy(struct http_server *h, unsigned timeout_s)
{
    if (!h)
        return;
    for (unsigned i = 0; i < h->n_threads; i++)
        http_thread_quiesce(h->threads[i]);
    listener_close(&h->listener);
    listener_close(&h->admin);
    drain(h, timeout_s);
    for (unsigned i = 0; i < h->n_threads; i++)
        http_thread_destroy(h->threads[i]);
    free(h);
}
