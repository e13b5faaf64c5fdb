#include "base/error.h"
#include "device/engine_make.h"
#include "device/resident.h"
#include "device/ring_memory.h"

#include <assert.h>
#include <stdlib.h>

/* One slot fills or is read while the other's work is done; the kernel does one piece of work at a time. */
enum { N_SLOTS = 2 };

struct ring_slot {
    ring_descriptor work; /* its kernels and groups are filled in for each submission */
    device_uint *done;    /* the completion word; the kernel sets it */
    bool pending;
    struct resident_watch watch;
};

struct ring_lane {
    struct engine_lane lane;
    struct ring_slot slots[N_SLOTS];
    unsigned char *memory; /* each slot's completion word and regions */
};

static struct ring_slot *slot_of(struct engine_lane *l, unsigned slot)
{
    return &((struct ring_lane *)l)->slots[slot];
}

/* The size of a region in the ring; so much that one slot has no cache line with another. */
static size_t padded(size_t n_bytes)
{
    return (n_bytes + RING_MEMORY_ALIGN - 1) / RING_MEMORY_ALIGN * RING_MEMORY_ALIGN;
}

static bool lane_bytes(const struct engine_spec *spec, const size_t *region_bytes, size_t *out)
{
    size_t n = RING_MEMORY_ALIGN;
    for (size_t i = 0; i < spec->n_regions; i++)
        if (padded(region_bytes[i]) < region_bytes[i] ||
            __builtin_add_overflow(n, padded(region_bytes[i]), &n))
            return false;
    return !__builtin_mul_overflow(n, N_SLOTS, out);
}

static unsigned char *place_slot(struct ring_lane *l, const size_t *region_bytes, unsigned index,
                                 unsigned char *at)
{
    struct engine *e = l->lane.engine;
    struct ring_slot *s = &l->slots[index];
    unsigned char *base = resident_base(e->resident);
    s->done = (device_uint *)at;
    s->work.done = (device_uint)((size_t)(at - base) / RING_UNIT_BYTES);
    at += RING_MEMORY_ALIGN;
    for (size_t i = 0; i < e->spec.n_regions; i++) {
        l->lane.regions[index][i] = at;
        s->work.regions[i] = (device_uint)((size_t)(at - base) / RING_UNIT_BYTES);
        at += padded(region_bytes[i]);
    }
    return at;
}

static enum collide_status lane_create(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err)
{
    size_t n_bytes;
    if (!lane_bytes(&e->spec, region_bytes, &n_bytes))
        return error_set(err, COLLIDE_INVALID, "a lane's regions overflow the address space; ask for less");
    struct ring_lane *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "a lane");
    l->lane.engine = e;
    enum collide_status status = resident_carve(e->resident, n_bytes, &l->memory, err);
    if (status != COLLIDE_OK) {
        free(l);
        return status;
    }
    unsigned char *at = l->memory;
    for (unsigned s = 0; s < N_SLOTS; s++)
        at = place_slot(l, region_bytes, s, at);
    *out = &l->lane;
    return COLLIDE_OK;
}

static enum collide_status submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    struct ring_slot *s = slot_of(l, slot);
    assert(!s->pending);
    for (size_t i = 0; i < RING_MAX_STEPS; i++) {
        bool given = i < work->n_steps;
        s->work.kernels[i] = given ? (device_uint)work->steps[i].kernel : 0;
        s->work.n_groups[i] = given ? (device_uint)work->steps[i].n_groups : 0;
    }
    __atomic_store_n(s->done, 0, __ATOMIC_RELAXED);
    enum collide_status status = resident_push(l->engine->resident, &s->work, err);
    if (status != COLLIDE_OK)
        return status;
    s->watch = (struct resident_watch){0};
    s->pending = true;
    return COLLIDE_OK;
}

static bool is_done(struct ring_slot *s)
{
    if (s->pending && __atomic_load_n(s->done, __ATOMIC_ACQUIRE))
        s->pending = false;
    return !s->pending;
}

/* Where the kernel has failed, the work is over too. */
static enum collide_status settle(struct ring_slot *s, enum collide_status status)
{
    if (status != COLLIDE_OK)
        s->pending = false;
    return status;
}

static enum collide_status poll(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err)
{
    struct ring_slot *s = slot_of(l, slot);
    enum collide_status status = COLLIDE_OK;
    if (!is_done(s))
        status = settle(s, resident_look(l->engine->resident, &s->watch, err));
    *done = !s->pending;
    return status;
}

static enum collide_status wait(struct engine_lane *l, unsigned slot, struct collide_error *err)
{
    struct ring_slot *s = slot_of(l, slot);
    enum collide_status status = COLLIDE_OK;
    while (!is_done(s))
        status = settle(s, resident_spin(l->engine->resident, &s->watch, err));
    return status;
}

static void lane_destroy(struct engine_lane *l)
{
    struct ring_lane *lane = (struct ring_lane *)l;
    for (unsigned s = 0; s < N_SLOTS; s++)
        wait(l, s, NULL);
    resident_release(l->engine->resident, lane->memory);
    free(lane);
}

const struct engine_make engine_ring = {.kind = ENGINE_RING,
                                        .n_slots = N_SLOTS,
                                        .lane_create = lane_create,
                                        .lane_destroy = lane_destroy,
                                        .submit = submit,
                                        .poll = poll,
                                        .wait = wait};
