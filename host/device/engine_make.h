/* What the makes of an engine share: lanes with slots, and the calls that differ between them. */
#ifndef DEVICE_ENGINE_MAKE_H
#define DEVICE_ENGINE_MAKE_H

#include "device/engine.h"

enum { ENGINE_MAX_SLOTS = 2 };

struct engine_slot {
    cl_kernel kernels[ENGINE_MAX_KERNELS];
    struct region regions[ENGINE_MAX_REGIONS];
    cl_event done; /* of work in flight, or NULL */
};

struct engine_lane {
    struct engine *engine;
    cl_command_queue queue;
    struct engine_slot slots[ENGINE_MAX_SLOTS];
};

struct engine_make {
    enum engine_kind kind;
    unsigned n_slots;
    enum collide_status (*submit)(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err);
};

struct engine {
    const struct engine_make *make;
    struct engine_spec spec;
};

extern const struct engine_make engine_direct;
extern const struct engine_make engine_queued;

/* Puts n_work_items of the slot's kernel into the lane's queue; *done (may be NULL) is an event the caller
 * releases. */
enum collide_status engine_enqueue(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                   cl_event *done, struct collide_error *err);

#endif
