#include "http/connections.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { SWEEP_NS = 500000000, STANDSTILL_NS = 250000000 };

struct http_connection *http_connections_add(struct http_connections *all, int fd, uint64_t now_ns)
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
    http_connection_enter(all, c, HTTP_RESTS, now_ns);
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

void http_connection_enter(const struct http_connections *all, struct http_connection *c,
                           enum http_phase phase, uint64_t now_ns)
{
    if (phase == HTTP_RESTS)
        c->due_ns = now_ns + all->idle_ns;
    else if (phase == HTTP_ASKS)
        c->due_ns = (c->begun_ns = now_ns) + all->request_ns;
    else if (phase == HTTP_IS_PUT_OFF)
        c->due_ns = UINT64_MAX;
    else if (c->phase == HTTP_IS_PUT_OFF)
        c->due_ns = now_ns + all->request_ns;
    c->phase = phase;
    c->seemed_to_leave = false;
}

/* Twice in a row: what it had sent before may still lie with libmicrohttpd. */
static bool has_left(struct http_connection *c)
{
    char byte;
    bool is_asking = c->phase == HTTP_RESTS || c->phase == HTTP_ASKS;
    bool was_leaving = c->seemed_to_leave;
    c->seemed_to_leave = is_asking && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    return was_leaving && c->seemed_to_leave;
}

static void forgive(struct http_connections *all, uint64_t standstill_ns)
{
    for (struct http_connection *c = all->first; c; c = c->next)
        if (c->due_ns != UINT64_MAX)
            c->due_ns += standstill_ns;
}

void http_connections_sweep(struct http_connections *all, uint64_t now_ns)
{
    uint64_t turn_ns = all->seen_ns ? now_ns - all->seen_ns : 0;
    all->seen_ns = now_ns;
    if (turn_ns > STANDSTILL_NS)
        forgive(all, turn_ns);
    if (now_ns < all->sweep_due_ns)
        return;
    all->sweep_due_ns = now_ns + SWEEP_NS;
    for (struct http_connection *c = all->first; c; c = c->next)
        if (c->due_ns <= now_ns || has_left(c))
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
