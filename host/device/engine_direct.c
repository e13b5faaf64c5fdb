#include "device/cl_error.h"
#include "device/engine_make.h"

/* A device that runs in its caller has executed the kernel when it is enqueued, others have when the wait is
 * over; memory is shared, so there is nothing to move before or after. */
static enum collide_status submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    enum collide_status status = engine_enqueue(l, slot, work, &l->slots[slot].done, err);
    return status == COLLIDE_OK ? engine_wait(l, slot, err) : status;
}

const struct engine_make engine_direct = {.kind = ENGINE_DIRECT, .n_slots = 1, .submit = submit};
