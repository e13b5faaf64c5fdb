#include "device/ring_memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* The ranges lie behind one another; no two neighbours are both free. */
struct range {
    struct range *next;
    size_t n_bytes;
    bool used;
};

struct ring_memory {
    pthread_mutex_t mutex;
    struct range *first;
};

static struct range *range_create(size_t n_bytes, struct range *next)
{
    struct range *r = malloc(sizeof *r);
    if (r)
        *r = (struct range){.next = next, .n_bytes = n_bytes};
    return r;
}

struct ring_memory *ring_memory_create(size_t n_bytes)
{
    struct ring_memory *m = malloc(sizeof *m);
    if (!m)
        return NULL;
    m->first = range_create(n_bytes / RING_MEMORY_ALIGN * RING_MEMORY_ALIGN, NULL);
    if (!m->first) {
        free(m);
        return NULL;
    }
    pthread_mutex_init(&m->mutex, NULL);
    return m;
}

void ring_memory_destroy(struct ring_memory *m)
{
    if (!m)
        return;
    for (struct range *r = m->first, *next; r; r = next) {
        next = r->next;
        free(r);
    }
    pthread_mutex_destroy(&m->mutex);
    free(m);
}

/* Leaves n_bytes of a range, the rest becomes one of its own. */
static bool split(struct range *r, size_t n_bytes)
{
    if (r->n_bytes == n_bytes)
        return true;
    struct range *rest = range_create(r->n_bytes - n_bytes, r->next);
    if (!rest)
        return false;
    r->next = rest;
    r->n_bytes = n_bytes;
    return true;
}

bool ring_memory_carve(struct ring_memory *m, size_t n_bytes, size_t *offset)
{
    size_t n = (n_bytes + RING_MEMORY_ALIGN - 1) / RING_MEMORY_ALIGN * RING_MEMORY_ALIGN, at = 0;
    if (n < n_bytes)
        return false;
    pthread_mutex_lock(&m->mutex);
    struct range *r = m->first;
    while (r && (r->used || r->n_bytes < n)) {
        at += r->n_bytes;
        r = r->next;
    }
    bool carved = r && split(r, n);
    if (carved) {
        r->used = true;
        *offset = at;
    }
    pthread_mutex_unlock(&m->mutex);
    return carved;
}

static void join_next(struct range *r)
{
    struct range *next = r->next;
    if (r->used || !next || next->used)
        return;
    r->n_bytes += next->n_bytes;
    r->next = next->next;
    free(next);
}

void ring_memory_release(struct ring_memory *m, size_t offset)
{
    size_t at = 0;
    pthread_mutex_lock(&m->mutex);
    struct range *r = m->first, *previous = NULL;
    while (at < offset) {
        at += r->n_bytes;
        previous = r;
        r = r->next;
    }
    assert(at == offset && r->used);
    r->used = false;
    join_next(r);
    if (previous)
        join_next(previous);
    pthread_mutex_unlock(&m->mutex);
}
