/* Scores on every device, with every engine, against the reference: of a choice of models that covers the
 * kernels' specialisations, or, as `test_equality every`, of all 684. */
#include "error_ratios.h"
#include "model_choice.h"
#include "random_query.h"
#include "score/reference.h"
#include "scorer_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    N_PRECISIONS = 3,
    N_POOLINGS = 3,
    N_REQUESTS = 600,
    MIN_REQUESTS = 10000,
    MAX_BATCH = 24,
    MAX_HISTORY = 200,
    MAX_ITEMS = 160
};

static struct error_ratios ratios[N_PRECISIONS][N_POOLINGS];
static size_t n_requests[PLATFORM_MAX_DEVICES][ENGINE_QUEUED + 1];

static void compare(const struct collide_model *model, const struct collide_query *queries, size_t n,
                    const float *scores, const char *where)
{
    const struct model *m = model->model;
    struct error_ratios *r = &ratios[m->item.precision][m->pooling];
    for (size_t i = 0; i < n; i++) {
        struct reference_score truth[MAX_ITEMS];
        assert_int_equal(reference_score(model, &queries[i], truth, NULL), COLLIDE_OK);
        for (size_t j = 0; j < queries[i].n_items; j++)
            error_ratios_add(r, *scores++, truth[j].value, truth[j].tolerance, where);
    }
}

/* In batches of random sizes. */
static void score_requests(const struct random_model *spec, const struct collide_model *model,
                           struct collide_lane *lane, size_t n_wanted, const char *where)
{
    static const struct random_query_limits limits = {MAX_HISTORY, MAX_ITEMS};
    static float scores[MAX_BATCH * MAX_ITEMS];
    struct rng rng = rng_seeded(spec->seed, 2);
    struct arena arena = {0};
    for (size_t done = 0, n; done < n_wanted; done += n) {
        size_t left = n_wanted - done;
        n = rng_below(&rng, (left < MAX_BATCH ? left : MAX_BATCH) + 1);
        struct collide_query *queries = random_queries(spec, &limits, &rng, n, &arena);
        scorer_fixture_score(lane, queries, n, scores, NULL);
        compare(model, queries, n, scores, where);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

/* Whether the device only runs the first one's code in other threads. */
static bool is_variant(const struct device_setup *setup)
{
    const struct device_info *first = &devices_list()->devices[0];
    const struct device_info *device = &devices_list()->devices[setup->device];
    return device != first && device->platform_id == first->platform_id;
}

/* n_on_variants: the requests for such devices; 0 leaves them out. */
static void check_model(const struct random_model *spec, size_t n_on_variants)
{
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    struct collide_model *model = random_model_open(spec);
    for (size_t i = 0; i < n_setups; i++) {
        struct scorer_fixture f;
        char what[128], on[96], where[256];
        size_t n = is_variant(&setups[i]) ? n_on_variants : N_REQUESTS;
        if (n == 0)
            continue;
        snprintf(where, sizeof where, "%s, on %s", model_describe(spec, what, sizeof what),
                 devices_describe(&setups[i], on, sizeof on));
        scorer_fixture_open(model, &setups[i], &f);
        score_requests(spec, model, f.lane, n, where);
        scorer_fixture_close(&f);
        n_requests[setups[i].device][setups[i].engine] += n;
    }
    collide_model_close(model);
}

/* Building kernels takes its time, so variants get every fourth model, and four times the requests on it. */
static void a_choice_of_models_scores_as_the_reference(void **state)
{
    enum { TURN = 4 };
    (void)state;
    for (unsigned i = 0; i < MODEL_CHOICE_N; i++) {
        const struct random_model spec = model_choice(i);
        check_model(&spec, i % TURN == TURN - 1 ? TURN * N_REQUESTS : 0);
    }
}

static void every_model_scores_as_the_reference(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MODEL_EVERY_N; i++) {
        const struct random_model spec = model_every(i);
        check_model(&spec, N_REQUESTS);
    }
}

static void every_device_and_engine_answered_ten_thousand_requests(void **state)
{
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    (void)state;
    for (size_t i = 0; i < n_setups; i++)
        assert_in_range(n_requests[setups[i].device][setups[i].engine], MIN_REQUESTS, SIZE_MAX);
}

/* A tolerance that errors never come near would prove nothing. The worst order of n roundings is n times one
 * of them, the usual one its root, so errors of long bags are a small share of what is allowed; some come
 * near it. */
static void errors_are_within_sight_of_their_tolerance(void **state)
{
    (void)state;
    for (unsigned precision = 0; precision < N_PRECISIONS; precision++)
        for (unsigned pooling = 0; pooling < N_POOLINGS; pooling++) {
            struct error_ratios *r = &ratios[precision][pooling];
            double median = error_ratios_median(r);
            print_message("    %-3s %-10s  %zu scores exact, %zu off: by %.4f of the tolerance in the "
                          "median, %.4f at most\n",
                          precision_name(precision), pooling_name(pooling), r->n_exact,
                          r->values.n_bytes / sizeof(double), median, r->largest);
            assert_true(median > 0.0005);
            assert_true(r->largest > 0.02);
            error_ratios_free(r);
        }
}

int main(int argc, char **argv)
{
    bool every = argc > 1 && strcmp(argv[1], "every") == 0;
    const struct CMUnitTest choice[] = {
        cmocka_unit_test(a_choice_of_models_scores_as_the_reference),
        cmocka_unit_test(every_device_and_engine_answered_ten_thousand_requests),
        cmocka_unit_test(errors_are_within_sight_of_their_tolerance),
    };
    const struct CMUnitTest all[] = {
        cmocka_unit_test(every_model_scores_as_the_reference),
        cmocka_unit_test(every_device_and_engine_answered_ten_thousand_requests),
        cmocka_unit_test(errors_are_within_sight_of_their_tolerance),
    };
    return every ? cmocka_run_group_tests(all, NULL, NULL) : cmocka_run_group_tests(choice, NULL, NULL);
}
