#include "device/cl_error.h"
#include "device/engine_launch.h"

#include <assert.h>

/* Moves what is used of the staged regions of one direction; those in shared memory are there already. */
static enum collide_status transfer(struct launch_slot *s, const struct engine_spec *spec,
                                    const struct engine_work *work, enum region_direction direction,
                                    struct collide_error *err)
{
    for (size_t i = 0; i < spec->n_regions; i++) {
        struct region *r = &s->batch.regions[i];
        size_t n = work->used_bytes[i];
        if (!r->staged || spec->directions[i] != direction || n == 0)
            continue;
        cl_int code = direction == REGION_IN
                          ? clEnqueueWriteBuffer(s->queue, r->staged, CL_FALSE, 0, n, r->host, 0, NULL, NULL)
                          : clEnqueueReadBuffer(s->queue, r->staged, CL_FALSE, 0, n, r->host, 0, NULL, NULL);
        if (code != CL_SUCCESS)
            return cl_error_set(err, code, "cannot move request memory");
    }
    return COLLIDE_OK;
}

static enum collide_status enqueue_batch(struct launch_slot *s, const struct engine_spec *spec,
                                         const struct engine_work *work, struct collide_error *err)
{
    enum collide_status status = transfer(s, spec, work, REGION_IN, err);
    if (status == COLLIDE_OK)
        status = launch_steps(s, spec, work, NULL, err);
    if (status == COLLIDE_OK)
        status = transfer(s, spec, work, REGION_OUT, err);
    if (status != COLLIDE_OK)
        return status;
    cl_int code = clEnqueueMarkerWithWaitList(s->queue, 0, NULL, &s->done);
    if (code == CL_SUCCESS)
        code = clFlush(s->queue);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot start a batch");
}

/* What was enqueued before a failure must be over before the slot's memory is used again. */
static enum collide_status submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    struct launch_slot *s = launch_slot_of(l, slot);
    assert(!s->done);
    enum collide_status status = enqueue_batch(s, &l->engine->spec, work, err);
    if (status == COLLIDE_OK)
        return COLLIDE_OK;
    clFinish(s->queue);
    if (s->done)
        clReleaseEvent(s->done);
    s->done = NULL;
    return status;
}

const struct engine_make engine_queued = {.kind = ENGINE_QUEUED,
                                          .n_slots = ENGINE_MAX_SLOTS,
                                          .lane_create = launch_lane_create,
                                          .lane_destroy = launch_lane_destroy,
                                          .lane_lend = launch_lane_lend,
                                          .submit = submit,
                                          .poll = launch_poll,
                                          .wait = launch_wait};
