/* Where kernels do not say where their code is, they are launched; whoever asks for calls is told. */
#include "scorer_checks.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of libdl, the host's alone: no address has a library. */
int __wrap_dladdr(const void *address, Dl_info *out);
int __wrap_dladdr(const void *address, Dl_info *out)
{
    (void)address, (void)out;
    return 0;
}

static const struct random_model spec = {.seed = 62,
                                         .n_items = 100,
                                         .n_rows = 30,
                                         .dim = 4,
                                         .precision = PRECISION_F16,
                                         .flags = RANDOM_WEIGHTS | RANDOM_BIAS};

/* A setup of the call engine, if there is one. */
static const struct device_setup *find_call(struct device_setup *setups)
{
    size_t n = scorer_fixture_setups(setups);
    for (size_t s = 0; s < n; s++)
        if (setups[s].engine == ENGINE_CALL)
            return &setups[s];
    return NULL;
}

static void kernels_are_launched_where_nobody_asked_for_calls(void **state)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    const struct device_setup *call = find_call(setups);
    struct scorer_fixture f;
    (void)state;
    if (!call)
        skip();
    struct collide_model *model = random_model_open(&spec);
    const struct device_setup chosen = {.device = call->device, .engine = ENGINE_AUTO};
    scorer_fixture_open(model, &chosen, &f);
    assert_int_equal(engine_kind_of(f.scorer->kernels[0]->engine), ENGINE_DIRECT);
    struct error_ratios ratios = {0};
    const struct scorer_check check = {
        .spec = &spec, .model = model, .lane = f.lane, .ratios = &ratios, .where = "launched"};
    check_scores(&check, 20);
    check_topk(&check, 5);
    error_ratios_free(&ratios);
    scorer_fixture_close(&f);
    collide_model_close(model);
}

static void calls_that_were_asked_for_are_refused(void **state)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    const struct device_setup *call = find_call(setups);
    struct collide_scorer *scorer = NULL;
    struct collide_error err;
    char device[16];
    (void)state;
    if (!call)
        skip();
    struct collide_model *model = random_model_open(&spec);
    snprintf(device, sizeof device, "%u", call->device);
    const struct collide_scorer_options options = {.device = device, .engine = "call", .cache_dir = ""};
    assert_int_equal(collide_scorer_create(model, &options, &scorer, &err), COLLIDE_DEVICE);
    assert_null(scorer);
    assert_non_null(strstr(err.text, "use the direct engine"));
    collide_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_launched_where_nobody_asked_for_calls),
        cmocka_unit_test(calls_that_were_asked_for_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
