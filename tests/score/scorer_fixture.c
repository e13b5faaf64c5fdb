#include "scorer_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

size_t scorer_fixture_setups(struct device_setup *out)
{
    struct device_setup all[DEVICES_MAX_SETUPS];
    size_t n_all = devices_setups(all), n = 0;
    for (size_t i = 0; i < n_all; i++)
        if (all[i].memory == MEMORY_AS_FOUND)
            out[n++] = all[i];
    return n;
}

void scorer_fixture_open(const struct collide_model *model, const struct device_setup *setup,
                         struct scorer_fixture *out)
{
    char device[16];
    struct collide_error err = {0};
    snprintf(device, sizeof device, "%u", setup->device);
    const struct collide_scorer_options options = {
        .device = device, .engine = engine_kind_name(setup->engine), .cache_dir = TEST_CACHE_DIR};
    if (collide_scorer_create(model, &options, &out->scorer, &err) != COLLIDE_OK ||
        collide_lane_create(out->scorer, &out->lane, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

void scorer_fixture_close(struct scorer_fixture *f)
{
    collide_lane_destroy(f->lane);
    collide_scorer_destroy(f->scorer);
}

void scorer_fixture_score(struct collide_lane *lane, const struct collide_query *queries, size_t n,
                          float *scores, struct collide_counts *counts)
{
    struct collide_error err = {0};
    if (collide_score(lane, queries, n, scores, counts, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}
