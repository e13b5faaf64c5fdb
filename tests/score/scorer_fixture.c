#include "scorer_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void require(enum collide_status status, const struct collide_error *err)
{
    if (status != COLLIDE_OK)
        fail_msg("%s", err->text);
}

size_t scorer_fixture_setups(struct device_setup *out)
{
    struct device_setup all[DEVICES_MAX_SETUPS];
    size_t n_all = devices_setups(all), n = 0;
    for (size_t i = 0; i < n_all; i++)
        if (all[i].memory == MEMORY_AS_FOUND)
            out[n++] = all[i];
    return n + devices_special_setups(out + n);
}

void scorer_fixture_open(const struct collide_model *model, const struct device_setup *setup,
                         struct scorer_fixture *out)
{
    char device[16];
    snprintf(device, sizeof device, "%u", setup->device);
    const struct collide_scorer_options options = {.device = device,
                                                   .engine = engine_kind_name(setup->engine)};
    scorer_fixture_open_with(model, options, out);
}

void scorer_fixture_open_with(const struct collide_model *model, struct collide_scorer_options options,
                              struct scorer_fixture *out)
{
    struct collide_error err = {0};
    options.cache_dir = "";
    require(collide_scorer_create(model, &options, &out->scorer, &err), &err);
    require(collide_lane_create(out->scorer, &out->lane, &err), &err);
}

void scorer_fixture_build(const struct collide_model *model, const struct device_setup *setup,
                          struct kernels_options options, struct scorer_fixture *out)
{
    struct collide_error err = {0};
    struct collide_scorer *s = out->scorer = calloc(1, sizeof *s);
    assert_non_null(s);
    s->model = model;
    s->devices[s->n_devices++] = devices_open(setup);
    options.engine = setup->engine;
    options.cache_dir = "";
    require(kernels_create(s->devices[0], model->model, &options, &s->kernels[0], &err), &err);
    require(collide_lane_create(s, &out->lane, &err), &err);
}

void scorer_fixture_close(struct scorer_fixture *f)
{
    collide_lane_destroy(f->lane);
    for (unsigned i = 0; i < f->scorer->n_devices; i++) {
        kernels_destroy(f->scorer->kernels[i]);
        f->scorer->kernels[i] = NULL;
        assert_int_equal(device_n_objects(f->scorer->devices[i]), 0);
    }
    collide_scorer_destroy(f->scorer);
}

void scorer_fixture_score(struct collide_lane *lane, const struct collide_query *queries, size_t n,
                          float *scores, struct collide_counts *counts)
{
    struct collide_error err = {0};
    require(collide_score(lane, queries, n, scores, counts, &err), &err);
}
