#include "kernel_rig.h"

#include "score/fill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void kernel_rig_open(const struct collide_model *model, const struct device_setup *setup,
                     struct kernel_rig *rig)
{
    static const size_t bytes[N_SCORING_REGIONS] = {
        [REGION_QUERIES] = RIG_MAX_QUERIES * sizeof(device_query),
        [REGION_HISTORY] = RIG_MAX_HISTORY * sizeof(uint32_t),
        [REGION_HISTORY_WEIGHTS] = RIG_MAX_HISTORY * sizeof(float),
        [REGION_ITEMS] = RIG_MAX_ITEMS * sizeof(uint32_t),
        [REGION_SCORES] = RIG_MAX_SCORES * sizeof(float),
    };
    struct collide_error err = {0};
    rig->model = model;
    rig->device = devices_open(setup);
    if (kernels_create(rig->device, model->model, setup->engine, TEST_CACHE_DIR, &rig->kernels, &err) !=
            COLLIDE_OK ||
        engine_lane_create(rig->kernels->engine, bytes, &rig->lane, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

void kernel_rig_close(struct kernel_rig *rig)
{
    engine_lane_destroy(rig->lane);
    kernels_destroy(rig->kernels);
    devices_close(rig->device);
}

static struct fill fill_slot(struct kernel_rig *rig, unsigned slot, enum scoring_kernel kernel,
                             const struct collide_query *queries, size_t n_queries)
{
    static const struct fill_capacity capacity = {.n_queries = RIG_MAX_QUERIES,
                                                  .n_history = RIG_MAX_HISTORY,
                                                  .n_items = RIG_MAX_ITEMS,
                                                  .n_scores = RIG_MAX_SCORES};
    struct fill fill = {
        .queries = engine_lane_region(rig->lane, slot, REGION_QUERIES),
        .history = engine_lane_region(rig->lane, slot, REGION_HISTORY),
        .history_weights = engine_lane_region(rig->lane, slot, REGION_HISTORY_WEIGHTS),
        .items = engine_lane_region(rig->lane, slot, REGION_ITEMS),
    };
    if (kernel == KERNEL_SCORE) {
        struct fill_position at = {0};
        fill_queries(rig->model, queries, n_queries, &capacity, RIG_MAX_ITEMS, &at, &fill);
        assert_int_equal(at.query, n_queries);
    } else {
        for (size_t i = 0; i < n_queries; i++)
            fill_histories(rig->model, &queries[i], &fill);
    }
    return fill;
}

const float *kernel_rig_run(struct kernel_rig *rig, enum scoring_kernel kernel,
                            const struct collide_query *queries, size_t n_queries, size_t n_scores)
{
    const float *first = engine_lane_region(rig->lane, 0, REGION_SCORES);
    assert_true(n_queries <= RIG_MAX_QUERIES && n_scores <= RIG_MAX_SCORES);
    for (unsigned slot = 0; slot < engine_lane_n_slots(rig->lane); slot++) {
        struct collide_error err = {0};
        struct fill fill = fill_slot(rig, slot, kernel, queries, n_queries);
        struct engine_work work = {
            .kernel = kernel,
            .n_work_items = fill.used.n_queries,
            .used_bytes = {[REGION_QUERIES] = fill.used.n_queries * sizeof(device_query),
                           [REGION_HISTORY] = fill.used.n_history * sizeof(uint32_t),
                           [REGION_HISTORY_WEIGHTS] = fill.used.n_history * sizeof(float),
                           [REGION_ITEMS] = fill.used.n_items * sizeof(uint32_t),
                           [REGION_SCORES] = n_scores * sizeof(float)},
        };
        if (engine_submit(rig->lane, slot, &work, &err) != COLLIDE_OK ||
            engine_wait(rig->lane, slot, &err) != COLLIDE_OK)
            fail_msg("%s", err.text);
        assert_memory_equal(engine_lane_region(rig->lane, slot, REGION_SCORES), first,
                            n_scores * sizeof(float));
    }
    return first;
}
