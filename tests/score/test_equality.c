/* Scores, bags and the best items on every device, with every engine, against the reference: of models that
 * cover the kernels' specialisations, each with several contents. */
#include "model_choice.h"
#include "scorer_checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    N_PRECISIONS = PRECISION_I2 + 1,
    N_POOLINGS = POOLING_MAX + 1,
    N_VARIANTS = 5,
    N_REQUESTS = 120, /* of a variant */
    N_TOPK = 12,
    N_BAGS = 40,
    N_NUMBERS = 60,
    MIN_REQUESTS = 1500,
};

static struct error_ratios ratios[N_PRECISIONS][N_POOLINGS];
static size_t n_requests[PLATFORM_MAX_DEVICES][ENGINE_RING + 1];

static void check_model(const struct random_model *spec, const struct device_setup *setup)
{
    char what[256], on[96], where[384];
    struct scorer_fixture f;
    struct collide_model *model = random_model_open(spec);
    snprintf(where, sizeof where, "%s, on %s", model_describe(spec, what, sizeof what),
             devices_describe(setup, on, sizeof on));
    scorer_fixture_open(model, setup, &f);
    const struct scorer_check check = {.spec = spec,
                                       .model = model,
                                       .lane = f.lane,
                                       .ratios = &ratios[spec->precision][spec->pooling],
                                       .where = where};
    check_scores(&check, N_REQUESTS);
    check_topk(&check, N_TOPK);
    check_bags(&check, N_BAGS);
    check_numbers(&check, N_NUMBERS);
    n_requests[setup->device][setup->engine] += N_REQUESTS;
    scorer_fixture_close(&f);
    collide_model_close(model);
}

/* Building kernels takes its time, and each engine has its own, so only the first device gets all models,
 * with the engine that it has by default; the others get a part of them. */
static bool gets(const struct device_setup *setup, unsigned i)
{
    if (setup->engine == ENGINE_RING)
        return i % 12 == 5;
    const struct device_info *device = &devices_list()->devices[setup->device];
    bool calls = engine_check_device(ENGINE_CALL, device, NULL) == COLLIDE_OK;
    bool is_default = setup->engine == (calls ? ENGINE_CALL : ENGINE_DIRECT);
    return setup->device == 0 && is_default ? true : i % 6 == 5;
}

static void models_score_as_the_reference(void **state)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    (void)state;
    for (unsigned i = 0; i < MODEL_CHOICE_N; i++) {
        const struct random_model spec = model_choice(i);
        for (size_t s = 0; s < n_setups; s++)
            for (unsigned v = 0; v < N_VARIANTS && gets(&setups[s], i); v++) {
                const struct random_model variant = model_variant(&spec, v);
                check_model(&variant, &setups[s]);
            }
    }
}

static void any_two_options_come_together(void **state)
{
    (void)state;
    assert_int_equal(model_choice_n_missing(), 0);
}

static void every_device_and_engine_answered_requests(void **state)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    (void)state;
    for (size_t i = 0; i < n_setups; i++)
        assert_in_range(n_requests[setups[i].device][setups[i].engine], MIN_REQUESTS, SIZE_MAX);
}

/* A tolerance that errors never come near would prove nothing. The worst order of n roundings is n times one
 * of them, the usual one its root, so errors of long bags are a small share of what is allowed, the more so
 * where rows' offsets hide them; some come near it. */
static void errors_are_within_sight_of_their_tolerance(void **state)
{
    unsigned n_near = 0;
    (void)state;
    for (unsigned precision = 0; precision < N_PRECISIONS; precision++)
        for (unsigned pooling = 0; pooling < N_POOLINGS; pooling++) {
            struct error_ratios *r = &ratios[precision][pooling];
            double median = error_ratios_median(r);
            print_message("    %-3s %-10s  %zu values exact, %zu off: by %.4f of the tolerance in the "
                          "median, %.4f at most\n",
                          precision_name(precision), pooling_name(pooling), r->n_exact,
                          r->values.n_bytes / sizeof(double), median, r->largest);
            assert_true(r->largest > 0.02);
            n_near += median > 0.001;
            error_ratios_free(r);
        }
    assert_true(n_near > N_PRECISIONS * N_POOLINGS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_two_options_come_together),
        cmocka_unit_test(models_score_as_the_reference),
        cmocka_unit_test(every_device_and_engine_answered_requests),
        cmocka_unit_test(errors_are_within_sight_of_their_tolerance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
