#include "device/cl_error.h"
#include "device/engine_launch.h"

/* A device that runs in its caller has executed the kernel when it is enqueued, others have when the queue is
 * finished; memory is shared, so there is nothing to move before or after. No event is asked for: that would
 * cost a tenth of the launch. */
static enum collide_status submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    struct launch_slot *s = launch_slot_of(l, slot);
    enum collide_status status = launch_steps(s, &l->engine->spec, work, NULL, err);
    cl_int code = clFinish(s->queue);
    return status == COLLIDE_OK && code != CL_SUCCESS ? cl_error_set(err, code, "a kernel failed") : status;
}

const struct engine_make engine_direct = {.kind = ENGINE_DIRECT,
                                          .n_slots = 1,
                                          .lane_create = launch_lane_create,
                                          .lane_destroy = launch_lane_destroy,
                                          .lane_lend = launch_lane_lend,
                                          .submit = submit,
                                          .poll = launch_poll,
                                          .wait = launch_wait};
