/* Each kernel by itself, on every device, with every engine, over shared and over staged memory.
 * `test_kernels brief` does the least, for simulators. */
#include "error_ratios.h"
#include "kernel_rig.h"
#include "model_choice.h"
#include "random_query.h"
#include "score/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    N_BATCHES = 12,
    N_BATCHES_BRIEF = 2,
    BATCH = 16,
    MAX_HISTORY = 150,
    MAX_ITEMS = 60,
    MAX_DIM = MODEL_MAX_DIM,
    MAX_MODEL_ITEMS = 2000
};

static int n_batches = N_BATCHES;

/* Models of the choice that differ in all that the kernels differ in. */
static const unsigned MODELS[] = {3, 7, 15, 19};

typedef void kernel_check(struct kernel_rig *rig, const struct collide_query *queries, size_t n,
                          struct error_ratios *ratios, const char *where);

/* Random batches on models of the choice, checked on every setup. */
static void on_every_setup(kernel_check *check)
{
    static const struct random_query_limits limits = {MAX_HISTORY, MAX_ITEMS};
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n_setups = devices_setups(setups);
    struct error_ratios ratios = {0};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof MODELS / sizeof *MODELS; i++) {
        const struct random_model spec = model_choice(MODELS[i]);
        struct collide_model *model = random_model_open(&spec);
        for (size_t s = 0; s < n_setups; s++) {
            struct rng rng = rng_seeded(spec.seed, 3);
            struct kernel_rig rig;
            char what[128], on[96], where[256];
            snprintf(where, sizeof where, "%s, on %s", model_describe(&spec, what, sizeof what),
                     devices_describe(&setups[s], on, sizeof on));
            kernel_rig_open(model, &setups[s], &rig);
            for (int batch = 0; batch < n_batches; batch++) {
                arena_reset(&arena);
                check(&rig, random_queries(&spec, &limits, &rng, BATCH, &arena), BATCH, &ratios, where);
            }
            kernel_rig_close(&rig);
        }
        collide_model_close(model);
    }
    print_message("    errors are %.4f of their tolerance in the median, %.4f at most\n",
                  error_ratios_median(&ratios), ratios.largest);
    assert_true(error_ratios_median(&ratios) > 0.0005);
    error_ratios_free(&ratios);
    arena_free(&arena);
}

static void check_bags(struct kernel_rig *rig, const struct collide_query *queries, size_t n,
                       struct error_ratios *ratios, const char *where)
{
    uint32_t dim = rig->model->model->dim;
    const float *bags = kernel_rig_run(rig, KERNEL_BAG, queries, n, n * dim);
    for (size_t i = 0; i < n; i++) {
        double truth[MAX_DIM], tolerances[MAX_DIM];
        assert_int_equal(reference_bag(rig->model, &queries[i], truth, tolerances, NULL), COLLIDE_OK);
        for (uint32_t d = 0; d < dim; d++)
            error_ratios_add(ratios, bags[i * dim + d], truth[d], tolerances[d], where);
    }
}

static void bags_match_the_reference(void **state)
{
    (void)state;
    on_every_setup(check_bags);
}

static void check_scores(struct kernel_rig *rig, const struct collide_query *queries, size_t n,
                         struct error_ratios *ratios, const char *where)
{
    size_t n_scores = 0;
    for (size_t i = 0; i < n; i++)
        n_scores += queries[i].n_items;
    const float *scores = kernel_rig_run(rig, KERNEL_SCORE, queries, n, n_scores);
    for (size_t i = 0; i < n; i++) {
        struct reference_score truth[MAX_ITEMS];
        assert_int_equal(reference_score(rig->model, &queries[i], truth, NULL), COLLIDE_OK);
        for (size_t j = 0; j < queries[i].n_items; j++)
            error_ratios_add(ratios, *scores++, truth[j].value, truth[j].tolerance, where);
    }
}

static void scores_match_the_reference(void **state)
{
    (void)state;
    on_every_setup(check_scores);
}

/* A row's score is that of any item on it, less the item's bias. */
static void check_rows(struct kernel_rig *rig, const struct collide_query *queries, size_t n,
                       struct error_ratios *ratios, const char *where)
{
    static struct collide_id all[MAX_MODEL_ITEMS];
    static struct reference_score truth[MAX_MODEL_ITEMS];
    const struct item_space *space = &rig->model->model->item;
    const float *scores = kernel_rig_run(rig, KERNEL_ROWS, queries, n, n * space->n_rows);
    assert_true(space->n_ids <= MAX_MODEL_ITEMS);
    for (uint32_t id = 0; id < space->n_ids; id++)
        all[id] = id_index_key(&rig->model->items, id);
    for (size_t i = 0; i < n; i++) {
        struct collide_query query = queries[i];
        query.items = all;
        query.n_items = space->n_ids;
        assert_int_equal(reference_score(rig->model, &query, truth, NULL), COLLIDE_OK);
        for (uint32_t id = 0; id < space->n_ids; id++) {
            double bias = space->bias ? space->bias[id] : 0.0;
            error_ratios_add(ratios, scores[i * space->n_rows + space->remap[id]], truth[id].value - bias,
                             truth[id].tolerance, where);
        }
    }
}

static void rows_match_the_reference(void **state)
{
    (void)state;
    on_every_setup(check_rows);
}

static void bag_of_nothing_is_zero(void **state)
{
    (void)state;
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n_setups = devices_setups(setups);
    for (size_t i = 0; i < sizeof MODELS / sizeof *MODELS; i++) {
        const struct random_model spec = model_choice(MODELS[i]);
        struct collide_model *model = random_model_open(&spec);
        for (size_t s = 0; s < n_setups; s++) {
            const struct collide_query nothing = {.user = NULL};
            struct kernel_rig rig;
            kernel_rig_open(model, &setups[s], &rig);
            const float *bag = kernel_rig_run(&rig, KERNEL_BAG, &nothing, 1, spec.dim);
            for (uint32_t d = 0; d < spec.dim; d++)
                assert_true(bag[d] == 0.0f);
            kernel_rig_close(&rig);
        }
        collide_model_close(model);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "brief") == 0)
        n_batches = N_BATCHES_BRIEF;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bags_match_the_reference),
        cmocka_unit_test(scores_match_the_reference),
        cmocka_unit_test(rows_match_the_reference),
        cmocka_unit_test(bag_of_nothing_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
