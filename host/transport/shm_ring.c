#include "transport/shm_ring.h"

#include <string.h>

enum { FIRST_LINE_BYTES = 64 - offsetof(struct shm_slot, bytes) };

void shm_sleeper_set(struct shm_sleeper *s, enum shm_rest rest)
{
    __atomic_store_n(&s->rest, rest, __ATOMIC_RELEASE);
}

void shm_sleeper_lie_down(struct shm_sleeper *s)
{
    __atomic_exchange_n(&s->rest, SHM_ASLEEP, __ATOMIC_ACQ_REL);
}

/* An exchange too, lest the next lying down miss what the other end has done. */
void shm_sleeper_get_up(struct shm_sleeper *s)
{
    __atomic_exchange_n(&s->rest, SHM_AWAKE, __ATOMIC_ACQ_REL);
}

bool shm_sleeper_needs_bell(struct shm_sleeper *s)
{
    return __atomic_load_n(&s->rest, __ATOMIC_RELAXED) != SHM_NEVER_SLEEPS &&
           __atomic_exchange_n(&s->rest, SHM_AWAKE, __ATOMIC_ACQ_REL) == SHM_ASLEEP;
}

static struct shm_slot *slot_of(struct shm_ring *r, uint64_t ticket)
{
    return &r->slots[ticket % SHM_SLOTS];
}

/* Of a ticket's slot while it is the client's to fill. */
static uint32_t turn_of(uint64_t ticket)
{
    return (uint32_t)(ticket / SHM_SLOTS) * 2;
}

static bool is_turn(const struct shm_ring *r, uint64_t ticket, uint32_t step)
{
    const struct shm_slot *slot = &r->slots[ticket % SHM_SLOTS];
    return __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE) == turn_of(ticket) + step;
}

/* The other end keeps looking at the first line: it is written last and at once, lest it be fetched twice. */
static void slot_write(struct shm_slot *slot, uint32_t turn, const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes > FIRST_LINE_BYTES)
        memcpy(slot->bytes + FIRST_LINE_BYTES, bytes + FIRST_LINE_BYTES, n_bytes - FIRST_LINE_BYTES);
    memcpy(slot->bytes, bytes, n_bytes < FIRST_LINE_BYTES ? n_bytes : FIRST_LINE_BYTES);
    __atomic_store_n(&slot->n_bytes, (uint32_t)n_bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->turn, turn, __ATOMIC_RELEASE);
}

/* Read once: the other end may change it. */
static uint32_t slot_bytes(const struct shm_slot *slot)
{
    uint32_t n_bytes = __atomic_load_n(&slot->n_bytes, __ATOMIC_RELAXED);
    return n_bytes < WIRE_MAX_BYTES ? n_bytes : WIRE_MAX_BYTES;
}

bool shm_ring_is_full(const struct shm_client_end *c)
{
    return c->n_submitted - c->n_collected >= SHM_MAX_IN_FLIGHT;
}

void shm_ring_submit(struct shm_client_end *c, const uint8_t *bytes, size_t n_bytes)
{
    uint64_t ticket = c->n_submitted++;
    slot_write(slot_of(c->ring, ticket), turn_of(ticket) + 1, bytes, n_bytes);
}

bool shm_ring_has_answer(const struct shm_client_end *c)
{
    return c->n_collected != c->n_submitted && is_turn(c->ring, c->n_collected, 2);
}

bool shm_ring_collect(struct shm_client_end *c, const uint8_t **bytes, size_t *n_bytes)
{
    if (!shm_ring_has_answer(c))
        return false;
    const struct shm_slot *slot = slot_of(c->ring, c->n_collected++);
    *bytes = slot->bytes;
    *n_bytes = slot_bytes(slot);
    return true;
}

bool shm_ring_has_request(const struct shm_server_end *s)
{
    return is_turn(s->ring, s->n_taken, 1);
}

bool shm_ring_take(struct shm_server_end *s, uint8_t *bytes, uint32_t *n_bytes)
{
    if (!shm_ring_has_request(s))
        return false;
    const struct shm_slot *slot = slot_of(s->ring, s->n_taken++);
    *n_bytes = slot_bytes(slot);
    memcpy(bytes, slot->bytes, *n_bytes);
    return true;
}

void shm_ring_answer(struct shm_server_end *s, uint64_t ticket, const uint8_t *bytes, uint32_t n_bytes)
{
    slot_write(slot_of(s->ring, ticket), turn_of(ticket) + 2, bytes, n_bytes);
}
