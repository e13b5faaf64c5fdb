#include "base/error.h"
#include "device/callable.h"
#include "device/engine_make.h"

#include <stdlib.h>

/* Nothing of OpenCL is left of a submission: it is a function call. */
struct call_lane {
    struct engine_lane lane;
    struct engine_batch batch;
    const void *lent;
};

static struct call_lane *lane_of(struct engine_lane *l)
{
    return (struct call_lane *)l;
}

static void lane_destroy(struct engine_lane *l)
{
    engine_batch_destroy(l->engine->spec.device, &lane_of(l)->batch);
    free(l);
}

static enum collide_status lane_create(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err)
{
    struct call_lane *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "a lane");
    l->lane.engine = e;
    enum collide_status status = engine_batch_create(&e->spec, region_bytes, &l->batch, err);
    if (status != COLLIDE_OK) {
        lane_destroy(&l->lane);
        return status;
    }
    for (size_t i = 0; i < e->spec.n_regions; i++)
        l->lane.regions[0][i] = l->batch.regions[i].host;
    *out = &l->lane;
    return COLLIDE_OK;
}

static enum collide_status lane_lend(struct engine_lane *l, void *memory, size_t n_bytes,
                                     struct collide_error *err)
{
    (void)n_bytes, (void)err;
    lane_of(l)->lent = memory;
    return COLLIDE_OK;
}

static enum collide_status submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err)
{
    (void)slot, (void)err;
    const struct call_lane *lane = lane_of(l);
    for (size_t i = 0; i < work->n_steps; i++)
        l->engine->callable.run(lane->batch.addresses.host, lane->lent, (uint32_t)work->steps[i].kernel,
                                (uint32_t)work->steps[i].n_groups);
    return COLLIDE_OK;
}

static enum collide_status poll(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err)
{
    (void)l, (void)slot, (void)err;
    *done = true;
    return COLLIDE_OK;
}

static enum collide_status wait(struct engine_lane *l, unsigned slot, struct collide_error *err)
{
    (void)l, (void)slot, (void)err;
    return COLLIDE_OK;
}

const struct engine_make engine_call = {.kind = ENGINE_CALL,
                                        .n_slots = 1,
                                        .lane_create = lane_create,
                                        .lane_destroy = lane_destroy,
                                        .lane_lend = lane_lend,
                                        .submit = submit,
                                        .poll = poll,
                                        .wait = wait};
