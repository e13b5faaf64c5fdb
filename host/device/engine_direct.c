#include "device/engine_launch.h"

/* A device that runs in its caller has executed the kernel when it is enqueued, others have when the wait is
 * over; memory is shared, so there is nothing to move before or after. */
static enum collide_status submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    struct launch_slot *s = launch_slot_of(l, slot);
    enum collide_status status = launch_steps(s, &l->engine->spec, work, &s->done, err);
    if (status == COLLIDE_OK)
        return launch_wait(l, slot, err);
    clFinish(s->queue); /* an earlier step may run */
    return status;
}

const struct engine_make engine_direct = {.kind = ENGINE_DIRECT,
                                          .n_slots = 1,
                                          .lane_create = launch_lane_create,
                                          .lane_destroy = launch_lane_destroy,
                                          .lane_lend = launch_lane_lend,
                                          .submit = submit,
                                          .poll = launch_poll,
                                          .wait = launch_wait};
