/* The scoring kernels of one model on one device: built, their tables placed, behind an engine. */
#ifndef SCORE_KERNELS_H
#define SCORE_KERNELS_H

#include "device/engine.h"
#include "score/tables.h"
#include "score/tuning.h"

#include <stdatomic.h>

/* Kernels and regions in the order of the kernels' names and arguments; see kernels/collide.cl and tables.h.
 */
enum scoring_kernel { KERNEL_SCORE, KERNEL_BAG, KERNEL_ROWS, KERNEL_TOPK, N_SCORING_KERNELS };

enum scoring_region {
    REGION_QUERIES,         /* device_query */
    REGION_HISTORY,         /* uint32_t */
    REGION_HISTORY_WEIGHTS, /* float */
    REGION_ITEMS,           /* uint32_t */
    REGION_HISTORY_KEYS,    /* uint64_t */
    REGION_ITEM_KEYS,       /* uint64_t */
    REGION_VECTORS,         /* float */
    REGION_ROW_SCORES,      /* float, the device's own */
    REGION_SCORES,          /* float, or device_hit */
    N_SCORING_REGIONS
};

struct kernels_options {
    enum engine_kind engine;
    const char *cache_dir; /* as in program_build */
    const char *binary;    /* a file for program_load; NULL: program_build */
    enum program_means means;
    struct memory_wishes memory;
    const struct tuning *tuning; /* NULL: the binary's, or as stored for the device */
    struct row_range rows;       /* empty: all; else the device is one shard */
    struct shared model_owner;   /* of the model's arrays; see kernels_destroy */
};

struct kernels {
    atomic_uint n_owners;
    struct shared model_owner;
    struct device *device;
    const struct model *model;
    struct tables tables;
    struct table_plan plan[N_SCORING_TABLES];
    struct device_table *placed[N_SCORING_TABLES];
    struct device_table *gathered;              /* of all placed ones, or NULL: they are arguments each */
    bool is_gathered, is_called, reads_numbers; /* as GATHERED, CALL, NUMBERS in kernels/specialisation.h */
    struct tuning tuning;
    uint32_t max_parts; /* work-groups that are worth sharing a launch of top-k */
    char options[1024]; /* the build's */
    struct program *program;
    struct engine *engine;
};

/* The tables of a model and where kernels_create would place them on a device. tables_free the tables; they
 * stay where they are, as their sources point into them. plan: (N_SCORING_TABLES) */
enum collide_status kernels_plan(const struct device_info *device, const struct model *model,
                                 const struct kernels_options *options, struct tables *tables,
                                 struct table_plan *plan, struct collide_error *err);

/* Borrows the model until kernels_destroy; options for the call. Shows progress where tables are moved. */
enum collide_status kernels_create(struct device *device, const struct model *model,
                                   const struct kernels_options *options, struct kernels **out,
                                   struct collide_error *err);

/* NULL is fine. A resident kernel that is left behind (see engine_destroy) keeps all that it reads: tables,
 * device and, by its owner, the model. */
void kernels_destroy(struct kernels *k);

/* Shares in all but the engine. Any thread. */
void kernels_retain(struct kernels *k);
void kernels_release(struct kernels *k);

/* Writes the program as a device binary; every kernel has run before, see program_save. */
enum collide_status kernels_save(const struct kernels *k, const char *path, struct collide_error *err);

/* Work-groups that n queries of a kernel take; of top-k, n_parts each. */
size_t kernels_n_groups(const struct kernels *k, enum scoring_kernel kernel, size_t n_queries,
                        size_t n_parts);

/* Rows that a top-k query scores, one by one chunk: what REGION_ROW_SCORES holds of each. */
size_t kernels_n_row_scores(const struct kernels *k);

/* Whether queries of one launch run side by side, so that long ones are worth cutting. */
bool kernels_run_side_by_side(const struct kernels *k);

/* Whether the device reads ids in memory that a lane is lent. */
bool kernels_read_numbers(const struct kernels *k);

/* Whether requests may name items by key: the device looks them up, and the host sees what it found. */
bool kernels_find_keys(const struct kernels *k);

#endif
