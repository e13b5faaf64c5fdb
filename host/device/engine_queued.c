#include "device/cl_error.h"
#include "device/engine_make.h"

/* Moves what is used of the staged regions of one direction; those in shared memory are there already. */
static enum collide_status transfer(struct engine_lane *l, struct engine_slot *slot,
                                    const struct engine_work *work, enum region_direction direction,
                                    struct collide_error *err)
{
    const struct engine_spec *spec = &l->engine->spec;
    for (size_t i = 0; i < spec->n_regions; i++) {
        struct region *r = &slot->regions[i];
        size_t n = work->used_bytes[i];
        if (!r->staged || spec->directions[i] != direction || n == 0)
            continue;
        cl_int code = direction == REGION_IN
                          ? clEnqueueWriteBuffer(l->queue, r->staged, CL_FALSE, 0, n, r->host, 0, NULL, NULL)
                          : clEnqueueReadBuffer(l->queue, r->staged, CL_FALSE, 0, n, r->host, 0, NULL, NULL);
        if (code != CL_SUCCESS)
            return cl_error_set(err, code, "cannot move request memory");
    }
    return COLLIDE_OK;
}

static enum collide_status enqueue_batch(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                         struct collide_error *err)
{
    struct engine_slot *s = &l->slots[slot];
    enum collide_status status = transfer(l, s, work, REGION_IN, err);
    if (status == COLLIDE_OK)
        status = engine_enqueue(l, slot, work, NULL, err);
    if (status == COLLIDE_OK)
        status = transfer(l, s, work, REGION_OUT, err);
    if (status != COLLIDE_OK)
        return status;
    cl_int code = clEnqueueMarkerWithWaitList(l->queue, 0, NULL, &s->done);
    if (code == CL_SUCCESS)
        code = clFlush(l->queue);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot start a batch");
}

/* What was enqueued before a failure must be over before the slot's memory is used again. */
static enum collide_status submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    enum collide_status status = enqueue_batch(l, slot, work, err);
    if (status != COLLIDE_OK)
        clFinish(l->queue);
    return status;
}

const struct engine_make engine_queued = {.kind = ENGINE_QUEUED, .n_slots = 2, .submit = submit};
