#include "client/pending.h"
#include "base/error.h"

#include <stdlib.h>

enum collide_status pending_create(struct pending *p, uint32_t n_slots, uint64_t first_number,
                                   struct collide_error *err)
{
    struct pending_request *slots = calloc((size_t)n_slots + 1, sizeof *slots);
    if (!slots)
        return error_no_memory(err, "the requests in flight");
    unsigned slot_bits = 1;
    while (n_slots > 1u << slot_bits)
        slot_bits++;
    for (uint32_t i = 0; i < n_slots; i++)
        slots[i].next = i + 1;
    slots[n_slots].previous = slots[n_slots].next = n_slots;
    *p = (struct pending){
        .slots = slots, .n_slots = n_slots, .slot_bits = slot_bits, .next_number = first_number};
    return COLLIDE_OK;
}

void pending_destroy(struct pending *p)
{
    free(p->slots);
}

/* Number 0 is left out: an id is never 0. */
uint64_t pending_next_id(const struct pending *p)
{
    uint64_t number = p->next_number << p->slot_bits;
    return (number ? number : (uint64_t)1 << p->slot_bits) | p->first_free;
}

static void link_last(struct pending *p, uint32_t slot, uint64_t due_ns)
{
    struct pending_request *ends = &p->slots[p->n_slots], *r = &p->slots[slot];
    r->due_ns = due_ns;
    r->previous = ends->previous;
    r->next = p->n_slots;
    p->slots[ends->previous].next = slot;
    ends->previous = slot;
}

static void unlink_from_order(struct pending *p, const struct pending_request *r)
{
    p->slots[r->previous].next = r->next;
    p->slots[r->next].previous = r->previous;
}

struct pending_request *pending_add(struct pending *p, uint64_t due_ns)
{
    uint32_t slot = p->first_free;
    struct pending_request *r = &p->slots[slot];
    r->id = pending_next_id(p);
    p->next_number = (r->id >> p->slot_bits) + 1;
    p->first_free = r->next;
    p->n++;
    link_last(p, slot, due_ns);
    return r;
}

struct pending_request *pending_find(const struct pending *p, uint64_t id)
{
    uint64_t slot = id & (((uint64_t)1 << p->slot_bits) - 1);
    return id && slot < p->n_slots && p->slots[slot].id == id ? &p->slots[slot] : NULL;
}

struct pending_request *pending_first(const struct pending *p)
{
    return p->n ? &p->slots[p->slots[p->n_slots].next] : NULL;
}

size_t pending_slot(const struct pending *p, const struct pending_request *r)
{
    return (size_t)(r - p->slots);
}

void pending_postpone(struct pending *p, struct pending_request *r, uint64_t due_ns)
{
    unlink_from_order(p, r);
    link_last(p, (uint32_t)pending_slot(p, r), due_ns);
}

void pending_remove(struct pending *p, struct pending_request *r)
{
    unlink_from_order(p, r);
    r->id = 0;
    r->next = p->first_free;
    p->first_free = (uint32_t)pending_slot(p, r);
    p->n--;
}
