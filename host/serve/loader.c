#include "serve/loader.h"

#include "base/error.h"
#include "serve/changes.h"
#include "serve/watch.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAX_WAITING = 64 };

struct waiting {
    struct load_order order;
    struct waiting *alike; /* owned: orders of the same, which are done with it */
};

struct loader {
    struct loader_options options;
    struct watch *watch; /* NULL: no folder */
    int wake_fd;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock;               /* over what follows */
    struct waiting orders[MAX_WAITING]; /* (n_orders), the next one first */
    size_t n_orders;
    bool is_to_stop;
};

static void wake(const struct loader *l)
{
    eventfd_write(l->wake_fd, 1);
}

/* Tells all who have ordered it. */
static void finish(struct waiting *w, const struct collide_error *err)
{
    for (struct waiting *at = w, *next; at; at = next) {
        next = at->alike;
        if (at->order.done)
            at->order.done(at->order.context, err);
        if (at != w)
            free(at);
    }
}

/* ---- On the loader's thread. */

static void perform(struct loader *l, struct waiting *w)
{
    const struct load_order *order = &w->order;
    struct service *s = l->options.service;
    struct collide_error err = {0};
    switch (order->kind) {
    case LOAD_MODEL:
        change_load(s, order->name, NULL, &err);
        break;
    case UNLOAD_MODEL:
        change_unload(s, order->name, 0, &err);
        break;
    case RELOAD_STALE:
        if (l->watch) /* first: what it loads is not stale any more */
            watch_apply(l->watch);
        change_reload(s, &err);
        break;
    }
    finish(w, &err);
}

static bool take_order(struct loader *l, struct waiting *out)
{
    pthread_mutex_lock(&l->lock);
    bool has = l->n_orders > 0 && !l->is_to_stop;
    if (has) {
        *out = l->orders[0];
        l->n_orders--;
        for (size_t i = 0; i < l->n_orders; i++)
            l->orders[i] = l->orders[i + 1];
    }
    pthread_mutex_unlock(&l->lock);
    return has;
}

static bool is_to_stop(struct loader *l)
{
    pthread_mutex_lock(&l->lock);
    bool is = l->is_to_stop;
    pthread_mutex_unlock(&l->lock);
    return is;
}

static void load_given(struct service *s, size_t number, struct collide_error *err)
{
    char name[MODEL_NAME_CHARS];
    service_models_name(s, number, name);
    service_models_load(s, name, NULL, NULL, err);
}

static void start(struct loader *l)
{
    struct service *s = l->options.service;
    struct collide_error err = {0};
    for (size_t i = 0, n = service_models_count(s); i < n && err.status == COLLIDE_OK; i++)
        load_given(s, i, &err);
    if (err.status == COLLIDE_OK && l->watch)
        watch_apply(l->watch);
    l->options.started(l->options.context, &err);
}

static void *run(void *context)
{
    struct loader *l = context;
    struct pollfd fds[] = {{.fd = l->wake_fd, .events = POLLIN},
                           {.fd = l->watch ? watch_fd(l->watch) : -1, .events = POLLIN}};
    start(l);
    while (!is_to_stop(l)) {
        struct waiting order;
        eventfd_t n;
        poll(fds, 2, l->watch ? watch_due_ms(l->watch) : -1);
        eventfd_read(l->wake_fd, &n);
        while (take_order(l, &order))
            perform(l, &order);
        if (l->watch)
            watch_take_news(l->watch);
        if (l->watch && watch_due_ms(l->watch) == 0 && !is_to_stop(l))
            watch_apply(l->watch);
    }
    return NULL;
}

/* ---- From any other. */

enum collide_status loader_create(const struct loader_options *options, struct loader **out,
                                  struct collide_error *err)
{
    struct loader *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "the loader");
    l->options = *options;
    pthread_mutex_init(&l->lock, NULL);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum collide_status status = l->wake_fd < 0 ? error_no_memory(err, "the loader") : COLLIDE_OK;
    if (status == COLLIDE_OK && options->folder)
        status = watch_create(options->folder, options->service, &l->watch, err);
    if (status != COLLIDE_OK) {
        loader_destroy(l);
        return status;
    }
    *out = l;
    return COLLIDE_OK;
}

enum collide_status loader_start(struct loader *l, struct collide_error *err)
{
    if (pthread_create(&l->thread, NULL, run, l) != 0)
        return error_no_memory(err, "the loading thread");
    l->is_running = true;
    return COLLIDE_OK;
}

void loader_stop(struct loader *l)
{
    struct collide_error stopping = {0};
    pthread_mutex_lock(&l->lock);
    l->is_to_stop = true;
    pthread_mutex_unlock(&l->lock);
    wake(l);
    if (l->is_running)
        pthread_join(l->thread, NULL);
    l->is_running = false;
    error_set(&stopping, COLLIDE_BUSY, "the service is about to stop");
    for (size_t i = 0; i < l->n_orders; i++)
        finish(&l->orders[i], &stopping);
    l->n_orders = 0;
}

void loader_destroy(struct loader *l)
{
    if (!l)
        return;
    watch_destroy(l->watch);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* One that waits for the same, with none behind it that could undo it; NULL: there is none. */
static struct waiting *find_alike(struct loader *l, const struct load_order *order)
{
    for (size_t i = l->n_orders; i > 0; i--) {
        struct waiting *w = &l->orders[i - 1];
        if (w->order.kind == RELOAD_STALE || strcmp(w->order.name, order->name) == 0)
            return w->order.kind == order->kind ? w : NULL;
    }
    return NULL;
}

/* The lock is held. */
static enum collide_status put_order(struct loader *l, const struct load_order *order,
                                     struct collide_error *err)
{
    struct waiting *first = find_alike(l, order), *w = NULL;
    if (l->is_to_stop || (!first && l->n_orders == MAX_WAITING))
        return error_set(err, COLLIDE_BUSY, "too many loads are waiting already; try again later");
    if (!first)
        w = &l->orders[l->n_orders++];
    else if (!(w = malloc(sizeof *w)))
        return error_no_memory(err, "an order");
    *w = (struct waiting){.order = *order, .alike = first ? first->alike : NULL};
    if (first)
        first->alike = w;
    return COLLIDE_OK;
}

enum collide_status loader_order(struct loader *l, const struct load_order *order, struct collide_error *err)
{
    pthread_mutex_lock(&l->lock);
    enum collide_status status = put_order(l, order, err);
    pthread_mutex_unlock(&l->lock);
    if (status == COLLIDE_OK)
        wake(l);
    return status;
}
