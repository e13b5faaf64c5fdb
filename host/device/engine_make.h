/* What the makes of an engine share, and the calls that differ between them. */
#ifndef DEVICE_ENGINE_MAKE_H
#define DEVICE_ENGINE_MAKE_H

#include "device/callable.h"
#include "device/engine.h"

enum { ENGINE_MAX_SLOTS = 4 };

/* Each make's lane begins with this. */
struct engine_lane {
    struct engine *engine;
    void *regions[ENGINE_MAX_SLOTS][ENGINE_MAX_REGIONS]; /* as the host sees them */
};

/* The calls of engine.h. Work that is submitted has at least one group. */
struct engine_make {
    enum engine_kind kind;
    unsigned n_slots;
    enum collide_status (*lane_create)(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err);
    void (*lane_destroy)(struct engine_lane *l);
    enum collide_status (*lane_lend)(struct engine_lane *l, void *memory, size_t n_bytes,
                                     struct collide_error *err); /* NULL: never called */
    enum collide_status (*submit)(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err);
    enum collide_status (*poll)(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err);
    enum collide_status (*wait)(struct engine_lane *l, unsigned slot, struct collide_error *err);
};

struct engine {
    const struct engine_make *make;
    struct engine_spec spec;
    struct resident *resident; /* of the ring engine, else NULL */
    struct callable callable;  /* of the call engine */
};

extern const struct engine_make engine_call;
extern const struct engine_make engine_direct;
extern const struct engine_make engine_queued;
extern const struct engine_make engine_ring;

/* A batch's memory, as kernels take it. */
struct engine_batch {
    struct region regions[ENGINE_MAX_REGIONS];
    struct region addresses; /* of the tables, then of the regions, where the spec is gathered */
};

/* One with regions of so many bytes, (n_regions). What a failure leaves is for engine_batch_destroy, too; an
 * empty one is fine. */
enum collide_status engine_batch_create(const struct engine_spec *spec, const size_t *region_bytes,
                                        struct engine_batch *batch, struct collide_error *err);
void engine_batch_destroy(struct device *device, struct engine_batch *batch);

/* A kernel of the spec's program with its first arguments set, *n_set of them: the tables, then the batch's
 * regions (NULL: the tables alone). The caller releases it. */
enum collide_status engine_kernel_create(const struct engine_spec *spec, const char *name,
                                         const struct engine_batch *batch, cl_kernel *out, cl_uint *n_set,
                                         struct collide_error *err);

#endif
