#include "http/connections.h"

#include "base/clock.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { SWEEP_NS = 100000000 };

struct http_connection *http_connections_add(struct http_connections *all, int fd)
{
    struct http_connection *c = all->free;
    if (c)
        all->free = c->next;
    else
        c = malloc(sizeof *c);
    if (!c)
        return NULL;
    *c = (struct http_connection){.next = all->first, .fd = fd};
    if (all->first)
        all->first->previous = c;
    all->first = c;
    http_connection_rest(all, c);
    return c;
}

void http_connections_remove(struct http_connections *all, struct http_connection *c)
{
    if (c->previous)
        c->previous->next = c->next;
    else
        all->first = c->next;
    if (c->next)
        c->next->previous = c->previous;
    c->next = all->free;
    all->free = c;
}

void http_connection_begin(const struct http_connections *all, struct http_connection *c)
{
    c->due_ns = clock_now_ns() + all->request_ns;
}

void http_connection_rest(const struct http_connections *all, struct http_connection *c)
{
    c->due_ns = clock_now_ns() + all->idle_ns;
}

void http_connections_sweep(struct http_connections *all)
{
    uint64_t now_ns = clock_now_ns();
    if (now_ns < all->sweep_due_ns)
        return;
    all->sweep_due_ns = now_ns + SWEEP_NS;
    for (struct http_connection *c = all->first; c; c = c->next)
        if (c->due_ns <= now_ns)
            shutdown(c->fd, SHUT_RDWR);
}

void http_connections_free(struct http_connections *all)
{
    while (all->free) {
        struct http_connection *c = all->free;
        all->free = c->next;
        free(c);
    }
}
