/* What the engines that launch a kernel for each step share: slots with a queue and kernel objects of their
 * own. */
#ifndef DEVICE_ENGINE_LAUNCH_H
#define DEVICE_ENGINE_LAUNCH_H

#include "device/engine_make.h"

struct launch_slot {
    cl_command_queue queue; /* in order; one a slot, so that one's transfers go on beside another's kernels */
    cl_kernel kernels[ENGINE_MAX_KERNELS];
    cl_uint n_set; /* arguments, of each kernel, without lent memory */
    struct engine_batch batch;
    cl_event done; /* of work in flight, or NULL */
};

struct launch_lane {
    struct engine_lane lane;
    cl_mem lent; /* or NULL */
    struct launch_slot slots[ENGINE_MAX_SLOTS];
};

static inline struct launch_slot *launch_slot_of(struct engine_lane *l, unsigned slot)
{
    return &((struct launch_lane *)l)->slots[slot];
}

/* The calls of struct engine_make. */
enum collide_status launch_lane_create(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err);
void launch_lane_destroy(struct engine_lane *l);
enum collide_status launch_lane_lend(struct engine_lane *l, void *memory, size_t n_bytes,
                                     struct collide_error *err);
enum collide_status launch_poll(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err);
enum collide_status launch_wait(struct engine_lane *l, unsigned slot, struct collide_error *err);

/* Puts the steps of some work into the slot's queue; *done (NULL: none is made) is the last one's event. */
enum collide_status launch_steps(struct launch_slot *slot, const struct engine_spec *spec,
                                 const struct engine_work *work, cl_event *done, struct collide_error *err);

#endif
