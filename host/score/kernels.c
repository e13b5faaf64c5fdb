#include "score/kernels.h"

#include "base/error.h"
#include "score/kernel_source.h"

#include <stdio.h>
#include <stdlib.h>

static void specialise(const struct device_info *device, const struct model *m, char *options,
                       size_t capacity)
{
    static const char *const rows[] = {
        [PRECISION_F32] = "ROWS_F32", [PRECISION_F16] = "ROWS_F16", [PRECISION_I8] = "ROWS_I8"};
    static const char *const pools[] = {
        [POOLING_SUM] = "POOL_SUM", [POOLING_MEAN] = "POOL_MEAN", [POOLING_NORMALISED] = "POOL_NORMALISED"};
    snprintf(options, capacity, "-cl-std=CL1.2 -DDIM=%u -D%s -D%s -DWEIGHTED=%d -DBIASED=%d -DPREFETCH=%d",
             m->dim, rows[m->item.precision], pools[m->pooling], m->item.weights != NULL,
             m->item.bias != NULL, (device->type & CL_DEVICE_TYPE_CPU) != 0);
}

static enum collide_status place_tables(struct kernels *k, const struct model *m, struct collide_error *err)
{
    k->params = (device_params){.n_items = m->item.n_ids,
                                .n_users = m->user.n_ids,
                                .n_rows = m->item.n_rows,
                                .logit_scale = m->logit_scale};
    size_t entries_bytes = ((size_t)m->item.n_ids + 1) * 4;
    const struct user_space *user = &m->user;
    const struct {
        const char *name;
        const void *bytes;
        size_t n_bytes;
    } sources[N_SCORING_TABLES] = {
        [TABLE_PARAMS] = {"the sizes", &k->params, sizeof k->params},
        [TABLE_REMAP] = {"the mapping", m->item.remap, entries_bytes},
        [TABLE_ROWS] = {"the row table", m->item.rows, m->item.n_rows * model_row_bytes(m)},
        [TABLE_SCALES] = {"the row scales", m->item.scales,
                          m->item.scales ? m->item.n_rows * sizeof(float) : 0},
        [TABLE_WEIGHTS] = {"the weights", m->item.weights, m->item.weights ? entries_bytes : 0},
        [TABLE_BIAS] = {"the biases", m->item.bias, m->item.bias ? entries_bytes : 0},
        [TABLE_USER_OFFSETS] = {"the history offsets", user->offsets,
                                user->n_ids ? ((size_t)user->n_ids + 2) * 4 : 0},
        [TABLE_USER_HISTORY] = {"the histories", user->history,
                                user->n_ids ? (size_t)user->offsets[user->n_ids + 1] * 4 : 0},
    };
    for (size_t i = 0; i < N_SCORING_TABLES; i++) {
        enum collide_status status =
            table_place(k->device, sources[i].name, sources[i].bytes, sources[i].n_bytes, &k->tables[i], err);
        if (status != COLLIDE_OK)
            return status;
    }
    return COLLIDE_OK;
}

static enum collide_status create_engine(struct kernels *k, enum engine_kind kind, struct collide_error *err)
{
    struct engine_spec spec = {
        .device = k->device,
        .program = k->program,
        .kernels = {[KERNEL_SCORE] = "collide_score_v1",
                    [KERNEL_ROWS] = "collide_rows_v1",
                    [KERNEL_BAG] = "collide_bag_v1"},
        .n_kernels = N_SCORING_KERNELS,
        .n_tables = N_SCORING_TABLES,
        .directions = {[REGION_SCORES] = REGION_OUT},
        .n_regions = N_SCORING_REGIONS,
    };
    for (size_t i = 0; i < N_SCORING_TABLES; i++)
        spec.tables[i] = k->tables[i];
    return engine_create(kind, &spec, &k->engine, err);
}

enum collide_status kernels_create(struct device *device, const struct model *model, enum engine_kind engine,
                                   const char *cache_dir, struct kernels **out, struct collide_error *err)
{
    struct kernels *k = calloc(1, sizeof *k);
    if (!k)
        return error_no_memory(err, "the kernels");
    k->device = device;
    char options[256];
    specialise(device_info(device), model, options, sizeof options);
    const struct program_source source = {kernel_source, kernel_source_bytes, options};
    enum collide_status status = program_build(device, &source, cache_dir, &k->program, err);
    if (status == COLLIDE_OK)
        status = place_tables(k, model, err);
    if (status == COLLIDE_OK)
        status = create_engine(k, engine, err);
    if (status != COLLIDE_OK) {
        kernels_destroy(k);
        return status;
    }
    *out = k;
    return COLLIDE_OK;
}

void kernels_destroy(struct kernels *k)
{
    if (!k)
        return;
    engine_destroy(k->engine);
    for (size_t i = 0; i < N_SCORING_TABLES; i++)
        table_destroy(k->tables[i]);
    program_destroy(k->program);
    free(k);
}

bool kernels_in_place(const struct kernels *k)
{
    for (size_t i = 0; i < N_SCORING_TABLES; i++)
        if (table_placement(k->tables[i]) == PLACED_COPIED && i != TABLE_PARAMS)
            return false;
    return true;
}
