#include "device/engine_launch.h"

#include "base/error.h"
#include "device/cl_error.h"

#include <assert.h>
#include <stdlib.h>

static enum collide_status set_lent(const struct launch_slot *slot, const struct engine_spec *spec,
                                    const cl_mem *lent, struct collide_error *err)
{
    for (size_t i = 0; i < spec->n_kernels; i++) {
        cl_int code = clSetKernelArg(slot->kernels[i], slot->n_set, sizeof *lent, lent);
        if (code != CL_SUCCESS)
            return cl_error_set(err, code, "cannot set a kernel argument");
    }
    return COLLIDE_OK;
}

/* Kernel objects hold their arguments, so each slot has its own. */
static enum collide_status create_kernels(const struct engine_spec *spec, struct launch_slot *slot,
                                          struct collide_error *err)
{
    for (size_t i = 0; i < spec->n_kernels; i++) {
        enum collide_status status =
            engine_kernel_create(spec, spec->kernels[i], &slot->batch, &slot->kernels[i], &slot->n_set, err);
        if (status != COLLIDE_OK)
            return status;
        device_count_objects(spec->device, 1);
    }
    return spec->reads_lent_memory ? set_lent(slot, spec, NULL, err) : COLLIDE_OK;
}

static enum collide_status fill_slot(struct launch_lane *l, const size_t *region_bytes, unsigned index,
                                     struct collide_error *err)
{
    const struct engine_spec *spec = &l->lane.engine->spec;
    struct launch_slot *slot = &l->slots[index];
    cl_int code;
    slot->queue = clCreateCommandQueueWithProperties(device_context(spec->device),
                                                     device_info(spec->device)->id, NULL, &code);
    if (code != CL_SUCCESS)
        return cl_error_set(err, code, "cannot create a command queue");
    device_count_objects(spec->device, 1);
    enum collide_status status = engine_batch_create(spec, region_bytes, &slot->batch, err);
    for (size_t i = 0; i < spec->n_regions; i++)
        l->lane.regions[index][i] = slot->batch.regions[i].host;
    return status == COLLIDE_OK ? create_kernels(spec, slot, err) : status;
}

enum collide_status launch_lane_create(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err)
{
    struct launch_lane *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "a lane");
    l->lane.engine = e;
    for (unsigned s = 0; s < e->make->n_slots; s++) {
        enum collide_status status = fill_slot(l, region_bytes, s, err);
        if (status != COLLIDE_OK) {
            launch_lane_destroy(&l->lane);
            return status;
        }
    }
    *out = &l->lane;
    return COLLIDE_OK;
}

static void empty_slot(struct device *device, struct launch_slot *slot)
{
    if (!slot->queue)
        return;
    clFinish(slot->queue);
    if (slot->done)
        clReleaseEvent(slot->done);
    for (size_t i = 0; i < ENGINE_MAX_KERNELS && slot->kernels[i]; i++) {
        clReleaseKernel(slot->kernels[i]);
        device_count_objects(device, -1);
    }
    engine_batch_destroy(device, &slot->batch);
    clReleaseCommandQueue(slot->queue);
    device_count_objects(device, -1);
}

void launch_lane_destroy(struct engine_lane *l)
{
    for (unsigned s = 0; s < ENGINE_MAX_SLOTS; s++)
        empty_slot(l->engine->spec.device, launch_slot_of(l, s));
    cl_mem lent = ((struct launch_lane *)l)->lent;
    if (lent) {
        clReleaseMemObject(lent);
        device_count_objects(l->engine->spec.device, -1);
    }
    free(l);
}

/* Where the device's memory is the host's, such a buffer is the memory itself: nothing is moved before a
 * kernel. */
enum collide_status launch_lane_lend(struct engine_lane *l, void *memory, size_t n_bytes,
                                     struct collide_error *err)
{
    struct launch_lane *lane = (struct launch_lane *)l;
    const struct engine_spec *spec = &l->engine->spec;
    cl_int code;
    assert(!lane->lent);
    lane->lent = clCreateBuffer(device_context(spec->device), CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, n_bytes,
                                memory, &code);
    if (code != CL_SUCCESS)
        return cl_error_set(err, code, "cannot share memory with the device");
    device_count_objects(spec->device, 1);
    enum collide_status status = COLLIDE_OK;
    for (unsigned s = 0; s < l->engine->make->n_slots && status == COLLIDE_OK; s++)
        status = set_lent(&lane->slots[s], spec, &lane->lent, err);
    return status;
}

enum collide_status launch_steps(struct launch_slot *slot, const struct engine_spec *spec,
                                 const struct engine_work *work, cl_event *done, struct collide_error *err)
{
    size_t last = work->n_steps - 1;
    while (work->steps[last].n_groups == 0)
        last--;
    for (size_t i = 0; i <= last; i++) {
        const struct engine_step *step = &work->steps[i];
        if (step->n_groups == 0)
            continue;
        size_t local = spec->local_sizes[step->kernel], global = step->n_groups * local;
        cl_int code = clEnqueueNDRangeKernel(slot->queue, slot->kernels[step->kernel], 1, NULL, &global,
                                             &local, 0, NULL, i == last ? done : NULL);
        if (code != CL_SUCCESS)
            return cl_error_set(err, code, "cannot launch a kernel");
    }
    return COLLIDE_OK;
}

/* Takes the slot's event away; its work is over, well or badly. */
static enum collide_status finish(struct launch_slot *slot, cl_int event_status, struct collide_error *err)
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

enum collide_status launch_poll(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err)
{
    struct launch_slot *s = launch_slot_of(l, slot);
    cl_int event_status = s->done ? status_of(s->done) : CL_COMPLETE;
    *done = event_status <= CL_COMPLETE;
    return s->done && *done ? finish(s, event_status, err) : COLLIDE_OK;
}

enum collide_status launch_wait(struct engine_lane *l, unsigned slot, struct collide_error *err)
{
    struct launch_slot *s = launch_slot_of(l, slot);
    if (!s->done)
        return COLLIDE_OK;
    cl_int code = clWaitForEvents(1, &s->done);
    return finish(s, code == CL_SUCCESS ? status_of(s->done) : code, err);
}
