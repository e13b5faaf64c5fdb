#include "device/engine.h"

#include "base/error.h"
#include "device/engine_make.h"
#include "device/resident.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const engine_kind_names[] = {
    [ENGINE_AUTO] = "auto",     [ENGINE_CALL] = "call", [ENGINE_DIRECT] = "direct",
    [ENGINE_QUEUED] = "queued", [ENGINE_RING] = "ring", NULL};

const char *engine_kind_name(enum engine_kind kind)
{
    return engine_kind_names[kind];
}

enum collide_status engine_kind_parse(const char *name, enum engine_kind *out, struct collide_error *err)
{
    enum engine_kind kind = ENGINE_AUTO;
    while (name && strcmp(name, engine_kind_name(kind)) != 0)
        if (++kind > ENGINE_RING)
            return error_set(err, COLLIDE_INVALID,
                             "there is no engine \"%.32s\"; say auto, call, direct, queued or ring", name);
    *out = kind;
    return COLLIDE_OK;
}

enum collide_status engine_check_device(enum engine_kind kind, const struct device_info *info,
                                        struct collide_error *err)
{
    if (kind != ENGINE_QUEUED && kind != ENGINE_AUTO && !info->fine_grain_svm)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "%s shares no fine-grained memory with the host, which the %s engine needs; use the "
                         "queued engine",
                         info->name, engine_kind_name(kind));
    if (kind == ENGINE_CALL && !info->gives_machine_code)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "%s is not known to give its kernels' machine code away, which the call engine needs; "
            "use the %s engine",
            info->name, info->runs_in_caller ? "direct" : "queued");
    if (kind == ENGINE_RING && !info->svm_atomics)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "%s has no atomics in memory that it shares with the host, which the ring engine needs; "
            "use the queued engine",
            info->name);
    if (kind == ENGINE_RING && info->atomics == ATOMICS_NONE)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "%s compiles no OpenCL C with atomics that order memory (2.0, or 3.0 with "
            "__opencl_c_atomic_order_acq_rel), which the ring engine needs; use the queued engine",
            info->name);
    return COLLIDE_OK;
}

static bool offers_call(const struct engine_spec *spec)
{
    return spec->call_kernel && spec->gathered;
}

static enum engine_kind choose(const struct engine_spec *spec)
{
    const struct device_info *info = device_info(spec->device);
    if (offers_call(spec) && engine_check_device(ENGINE_CALL, info, NULL) == COLLIDE_OK)
        return ENGINE_CALL;
    return info->runs_in_caller ? ENGINE_DIRECT : ENGINE_QUEUED;
}

enum collide_status engine_create(enum engine_kind kind, const struct engine_spec *spec, struct engine **out,
                                  struct collide_error *err)
{
    static const struct engine_make *const makes[] = {[ENGINE_CALL] = &engine_call,
                                                      [ENGINE_DIRECT] = &engine_direct,
                                                      [ENGINE_QUEUED] = &engine_queued,
                                                      [ENGINE_RING] = &engine_ring};
    if (kind == ENGINE_AUTO)
        kind = choose(spec);
    enum collide_status status = engine_check_device(kind, device_info(spec->device), err);
    if (status == COLLIDE_OK && kind == ENGINE_RING && !spec->ring_kernel)
        status = error_set(err, COLLIDE_UNSUPPORTED,
                           "this program has no resident kernel for the ring engine; use the queued engine");
    if (status == COLLIDE_OK && kind == ENGINE_CALL && !offers_call(spec))
        status = error_set(
            err, COLLIDE_UNSUPPORTED,
            "the call engine needs kernels built for it, in the item form, and tables in shared virtual "
            "memory (not in-place); use the direct engine");
    if (status != COLLIDE_OK)
        return status;
    assert(!spec->reads_lent_memory || kind != ENGINE_RING);
    struct engine *e = calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, "an engine");
    e->make = makes[kind];
    e->spec = *spec;
    if (kind == ENGINE_RING)
        status = resident_start(spec, &e->resident, err);
    if (kind == ENGINE_CALL)
        status = callable_find(&e->spec, e->spec.call_kernel, &e->callable, err);
    if (status != COLLIDE_OK) {
        free(e);
        return status;
    }
    *out = e;
    return COLLIDE_OK;
}

void engine_destroy(struct engine *e)
{
    if (!e)
        return;
    resident_stop(e->resident);
    callable_release(&e->callable);
    free(e);
}

enum engine_kind engine_kind_of(const struct engine *e)
{
    return e->make->kind;
}

enum collide_status engine_lane_create(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err)
{
    return e->make->lane_create(e, region_bytes, out, err);
}

void engine_lane_destroy(struct engine_lane *l)
{
    if (l)
        l->engine->make->lane_destroy(l);
}

enum collide_status engine_lane_lend(struct engine_lane *l, void *memory, size_t n_bytes,
                                     struct collide_error *err)
{
    assert(l->engine->spec.reads_lent_memory);
    return l->engine->make->lane_lend(l, memory, n_bytes, err);
}

unsigned engine_lane_n_slots(const struct engine_lane *l)
{
    return l->engine->make->n_slots;
}

void *engine_lane_region(const struct engine_lane *l, unsigned slot, size_t region)
{
    return l->regions[slot][region];
}

enum collide_status engine_submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    assert(work->n_steps <= ENGINE_MAX_STEPS);
    for (size_t i = 0; i < work->n_steps; i++)
        if (work->steps[i].n_groups > 0)
            return l->engine->make->submit(l, slot, work, err);
    return COLLIDE_OK;
}

enum collide_status engine_poll(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err)
{
    return l->engine->make->poll(l, slot, done, err);
}

enum collide_status engine_wait(struct engine_lane *l, unsigned slot, struct collide_error *err)
{
    return l->engine->make->wait(l, slot, err);
}
