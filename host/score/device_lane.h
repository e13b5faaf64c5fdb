/* One thread's way to one device: slots that are filled with queries, submitted, waited for. */
#ifndef SCORE_DEVICE_LANE_H
#define SCORE_DEVICE_LANE_H

#include "score/fill.h"

struct device_lane {
    const struct collide_model *model;
    const float *user_vectors; /* as in struct fill */
    struct kernels *kernels;
    struct engine_lane *engine;
    struct fill_capacity capacity; /* of each slot */
    unsigned n_slots;
    void *shared; /* see device_lane_share; NULL: none */
    size_t n_shared_bytes;
};

/* Warm: every kernel has run once. Borrows model, vectors (NULL: there are none) and kernels. */
enum collide_status device_lane_create(const struct collide_model *model, const float *user_vectors,
                                       struct kernels *kernels, struct device_lane *out,
                                       struct collide_error *err);
void device_lane_destroy(struct device_lane *lane);

/* Slots that hold at least this much. What they held is lost, so none may be in flight. */
enum collide_status device_lane_reserve(struct device_lane *lane, struct fill_capacity wanted,
                                        struct collide_error *err);

/* As lane_share_memory. */
enum collide_status device_lane_share(struct device_lane *lane, void *memory, size_t n_bytes,
                                      struct collide_error *err);

/* An empty fill of a slot's regions. */
struct fill device_lane_fill(const struct device_lane *lane, unsigned slot);
float *device_lane_scores(const struct device_lane *lane, unsigned slot);
float *device_lane_vectors(const struct device_lane *lane, unsigned slot);

/* Runs kernels, in turn, over what a slot was filled with. */
enum collide_status device_lane_submit(struct device_lane *lane, unsigned slot,
                                       const enum scoring_kernel *kernels, size_t n_kernels,
                                       const struct fill *fill, struct collide_error *err);
enum collide_status device_lane_wait(struct device_lane *lane, unsigned slot, struct collide_error *err);

#endif
