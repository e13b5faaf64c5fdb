#include "http/server.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/http_thread.h"
#include "net/listen.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct http_server {
    struct http_options options;
    char address[ADDRESS_CHARS];
    unsigned n_threads;
    struct http_thread *threads[]; /* (n_threads) */
};

/* A drain ends once nothing has come for so long: what clients had sent before they could know is answered.
 */
enum { DRAIN_POLL_NS = 2000000 };
static const double DRAIN_QUIET_S = 0.1;

enum collide_status http_server_create(struct service *service, const struct http_options *options,
                                       struct http_server **out, struct collide_error *err)
{
    struct http_server *h = calloc(1, sizeof *h + options->n_threads * sizeof h->threads[0]);
    if (!h)
        return error_no_memory(err, "the HTTP server");
    h->options = *options;
    int listener = -1;
    enum collide_status status = listen_tcp(options->listen, &listener, h->address, err);
    for (unsigned i = 0; i < options->n_threads && status == COLLIDE_OK; i++) {
        const struct http_context context = {
            .service = service, .worker = i, .transports = options->transports, .loader = options->loader};
        status = http_thread_create(&context, &h->options, listener, &h->threads[i], err);
        h->n_threads += status == COLLIDE_OK;
    }
    if (listener >= 0)
        close(listener);
    if (status != COLLIDE_OK) {
        http_server_destroy(h, 0);
        return status;
    }
    *out = h;
    return COLLIDE_OK;
}

const char *http_server_address(const struct http_server *h)
{
    return h->address;
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
    drain(h, timeout_s);
    for (unsigned i = 0; i < h->n_threads; i++)
        http_thread_destroy(h->threads[i]);
    free(h);
}
