#include "device/engine.h"

#include "base/error.h"
#include "device/cl_error.h"
#include "device/engine_make.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *engine_kind_name(enum engine_kind kind)
{
    static const char *const names[] = {
        [ENGINE_AUTO] = "auto", [ENGINE_DIRECT] = "direct", [ENGINE_QUEUED] = "queued"};
    return names[kind];
}

enum collide_status engine_kind_parse(const char *name, enum engine_kind *out, struct collide_error *err)
{
    enum engine_kind kind = ENGINE_AUTO;
    while (name && strcmp(name, engine_kind_name(kind)) != 0)
        if (++kind > ENGINE_QUEUED)
            return error_set(err, COLLIDE_INVALID, "there is no engine \"%.32s\"; say auto, direct or queued",
                             name);
    *out = kind;
    return COLLIDE_OK;
}

enum collide_status engine_create(enum engine_kind kind, const struct engine_spec *spec, struct engine **out,
                                  struct collide_error *err)
{
    const struct device_info *info = device_info(spec->device);
    if (kind == ENGINE_AUTO)
        kind = info->runs_in_caller ? ENGINE_DIRECT : ENGINE_QUEUED;
    if (kind == ENGINE_DIRECT && !info->fine_grain_svm)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "%s shares no fine-grained memory with the host, which the direct engine needs; use the "
            "queued engine",
            info->name);
    struct engine *e = calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, "an engine");
    e->make = kind == ENGINE_DIRECT ? &engine_direct : &engine_queued;
    e->spec = *spec;
    *out = e;
    return COLLIDE_OK;
}

void engine_destroy(struct engine *e)
{
    free(e);
}

enum engine_kind engine_kind_of(const struct engine *e)
{
    return e->make->kind;
}

static enum collide_status set_arguments(const struct engine_spec *spec, const struct engine_slot *slot,
                                         cl_kernel kernel, struct collide_error *err)
{
    for (size_t i = 0; i < spec->n_tables; i++) {
        cl_mem table = table_handle(spec->tables[i]);
        cl_int code = clSetKernelArg(kernel, (cl_uint)i, sizeof table, &table);
        if (code != CL_SUCCESS)
            return cl_error_set(err, code, "cannot set a kernel argument");
    }
    for (size_t i = 0; i < spec->n_regions; i++) {
        enum collide_status status =
            region_set_arg(&slot->regions[i], kernel, (cl_uint)(spec->n_tables + i), err);
        if (status != COLLIDE_OK)
            return status;
    }
    return COLLIDE_OK;
}

/* Kernel objects hold their arguments, so each slot has its own. */
static enum collide_status fill_slot(struct engine *e, const size_t *region_bytes, struct engine_slot *slot,
                                     struct collide_error *err)
{
    const struct engine_spec *spec = &e->spec;
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < spec->n_regions && status == COLLIDE_OK; i++)
        status = region_create(spec->device, region_bytes[i], &slot->regions[i], err);
    for (size_t i = 0; i < spec->n_kernels && status == COLLIDE_OK; i++) {
        cl_int code;
        slot->kernels[i] = clCreateKernel(program_handle(spec->program), spec->kernels[i], &code);
        if (code != CL_SUCCESS)
            return cl_error_set(err, code, spec->kernels[i]);
        device_count_objects(spec->device, 1);
        status = set_arguments(spec, slot, slot->kernels[i], err);
    }
    return status;
}

enum collide_status engine_lane_create(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err)
{
    struct device *device = e->spec.device;
    struct engine_lane *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "a lane");
    l->engine = e;
    cl_int code;
    l->queue =
        clCreateCommandQueueWithProperties(device_context(device), device_info(device)->id, NULL, &code);
    if (code != CL_SUCCESS) {
        free(l);
        return cl_error_set(err, code, "cannot create a command queue");
    }
    device_count_objects(device, 1);
    for (unsigned s = 0; s < e->make->n_slots; s++) {
        enum collide_status status = fill_slot(e, region_bytes, &l->slots[s], err);
        if (status != COLLIDE_OK) {
            engine_lane_destroy(l);
            return status;
        }
    }
    *out = l;
    return COLLIDE_OK;
}

void engine_lane_destroy(struct engine_lane *l)
{
    if (!l)
        return;
    struct device *device = l->engine->spec.device;
    clFinish(l->queue);
    for (unsigned s = 0; s < ENGINE_MAX_SLOTS; s++) {
        struct engine_slot *slot = &l->slots[s];
        if (slot->done)
            clReleaseEvent(slot->done);
        for (size_t i = 0; i < ENGINE_MAX_KERNELS; i++)
            if (slot->kernels[i]) {
                clReleaseKernel(slot->kernels[i]);
                device_count_objects(device, -1);
            }
        for (size_t i = 0; i < ENGINE_MAX_REGIONS; i++)
            region_destroy(device, &slot->regions[i]);
    }
    clReleaseCommandQueue(l->queue);
    device_count_objects(device, -1);
    free(l);
}

unsigned engine_lane_n_slots(const struct engine_lane *l)
{
    return l->engine->make->n_slots;
}

void *engine_lane_region(const struct engine_lane *l, unsigned slot, size_t region)
{
    return l->slots[slot].regions[region].host;
}

enum collide_status engine_enqueue(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                   cl_event *done, struct collide_error *err)
{
    size_t local = 1;
    cl_int code = clEnqueueNDRangeKernel(l->queue, l->slots[slot].kernels[work->kernel], 1, NULL,
                                         &work->n_work_items, &local, 0, NULL, done);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot launch a kernel");
}

enum collide_status engine_submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    assert(!l->slots[slot].done);
    return work->n_work_items ? l->engine->make->submit(l, slot, work, err) : COLLIDE_OK;
}

/* Takes the slot's event away; its work is over, well or badly. */
static enum collide_status finish(struct engine_slot *slot, cl_int event_status, struct collide_error *err)
{
    clReleaseEvent(slot->done);
    slot->done = NULL;
    return event_status < 0 ? cl_error_set(err, event_status, "a kernel failed") : COLLIDE_OK;
}

static cl_int status_of(cl_event event)
{
    cl_int status = CL_QUEUED;
    cl_int code = clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
    return code == CL_SUCCESS ? status : code;
}

enum collide_status engine_poll(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err)
{
    struct engine_slot *s = &l->slots[slot];
    cl_int event_status = s->done ? status_of(s->done) : CL_COMPLETE;
    *done = event_status <= CL_COMPLETE;
    return s->done && *done ? finish(s, event_status, err) : COLLIDE_OK;
}

enum collide_status engine_wait(struct engine_lane *l, unsigned slot, struct collide_error *err)
{
    struct engine_slot *s = &l->slots[slot];
    if (!s->done)
        return COLLIDE_OK;
    cl_int code = clWaitForEvents(1, &s->done);
    return finish(s, code == CL_SUCCESS ? status_of(s->done) : code, err);
}
