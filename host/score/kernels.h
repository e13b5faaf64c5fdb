/* The scoring kernels of one model on one device: built, their tables placed, behind an engine. */
#ifndef SCORE_KERNELS_H
#define SCORE_KERNELS_H

#include "device/engine.h"
#include "model/model.h"
#include "types.h"

/* Kernels, tables and regions in the order of the kernels' names and arguments; see kernels/collide.cl. */
enum scoring_kernel { KERNEL_SCORE, KERNEL_ROWS, KERNEL_BAG, N_SCORING_KERNELS };

enum scoring_table {
    TABLE_PARAMS,
    TABLE_REMAP,
    TABLE_ROWS,
    TABLE_SCALES,
    TABLE_WEIGHTS,
    TABLE_BIAS,
    TABLE_USER_OFFSETS,
    TABLE_USER_HISTORY,
    N_SCORING_TABLES
};

enum scoring_region {
    REGION_QUERIES,         /* device_query */
    REGION_HISTORY,         /* uint32_t */
    REGION_HISTORY_WEIGHTS, /* float */
    REGION_ITEMS,           /* uint32_t */
    REGION_SCORES,          /* float */
    N_SCORING_REGIONS
};

struct kernels {
    struct device *device;
    struct program *program;
    struct device_table *tables[N_SCORING_TABLES];
    struct engine *engine;
    device_params params; /* what TABLE_PARAMS holds */
};

/* Borrows device and model until kernels_destroy. cache_dir as in program_build. */
enum collide_status kernels_create(struct device *device, const struct model *model, enum engine_kind engine,
                                   const char *cache_dir, struct kernels **out, struct collide_error *err);
void kernels_destroy(struct kernels *k);

/* Whether the device reads every table of the model where the host has it. */
bool kernels_in_place(const struct kernels *k);

#endif
