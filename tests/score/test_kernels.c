/* What the public API does not choose by itself: the kernels' forms, memory that is staged, tables in many
 * banks. `test_kernels brief` does the least, for simulators. */
#include "model_choice.h"
#include "scorer_checks.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N_SCORES = 200, N_TOPK = 12, N_BAGS = 40, N_NUMBERS = 100 };

static size_t brevity = 1; /* how much less than usual is asked */

static size_t some(size_t n)
{
    return n / brevity ? n / brevity : 1;
}

/* Of no form in particular: item, as PoCL's devices take by default. */
static const struct tuning ITEM = {.form = FORM_ITEM, .group_size = 64},
                           PREFETCHING = {.form = FORM_ITEM, .prefetch = 1, .row_ahead = 3, .remap_ahead = 7},
                           GROUP_32 = {.form = FORM_GROUP, .group_size = 32},
                           GROUP_64 = {.form = FORM_GROUP, .group_size = 64},
                           PIPELINE = {.form = FORM_PIPELINE};

static void check_all(const struct random_model *spec, const struct device_setup *setup,
                      const struct kernels_options *options)
{
    char what[256], on[96], where[384];
    struct scorer_fixture f;
    struct error_ratios ratios = {.largest = 0};
    struct collide_model *model = random_model_open(spec);
    snprintf(where, sizeof where, "%s form, banks of %llu, %s, on %s",
             options->tuning ? kernel_form_name(options->tuning->form) : "default",
             (unsigned long long)options->memory.max_bank_bytes, model_describe(spec, what, sizeof what),
             devices_describe(setup, on, sizeof on));
    scorer_fixture_build(model, setup, *options, &f);
    const struct scorer_check check = {
        .spec = spec, .model = model, .lane = f.lane, .ratios = &ratios, .where = where};
    check_scores(&check, some(N_SCORES));
    check_topk(&check, some(N_TOPK));
    check_bags(&check, some(N_BAGS));
    check_numbers(&check, some(N_NUMBERS));
    error_ratios_free(&ratios);
    scorer_fixture_close(&f);
    collide_model_close(model);
}

/* The first setup with this engine and memory; false: there is none. */
static bool find_setup(enum engine_kind engine, enum request_memory memory, struct device_setup *out)
{
    struct device_setup setups[DEVICES_MAX_SETUPS + FIXTURE_MAX_SETUPS];
    size_t n = devices_setups(setups);
    n += scorer_fixture_setups(setups + n);
    for (size_t i = 0; i < n; i++)
        if (setups[i].engine == engine && setups[i].memory == memory) {
            *out = setups[i];
            return true;
        }
    return false;
}

/* Two lookups, packed, of 4-bit rows. */
static struct random_model packed_model(void)
{
    return (struct random_model){.seed = 41,
                                 .n_items = 700,
                                 .n_users = 20,
                                 .n_rows = 90,
                                 .dim = 24,
                                 .max_history = 80,
                                 .precision = PRECISION_I4,
                                 .pooling = POOLING_MEAN,
                                 .flags = RANDOM_WEIGHTS | RANDOM_BIAS,
                                 .mapping = MAPPING_PACKED,
                                 .combine = COMBINE_SUM,
                                 .n_lookups = 2};
}

/* One row an id and few rows: items are listed by row. */
static struct random_model listed_model(void)
{
    return (struct random_model){.seed = 42,
                                 .n_items = 1500,
                                 .n_users = 20,
                                 .n_rows = 100,
                                 .dim = 40,
                                 .max_history = 100,
                                 .precision = PRECISION_I8,
                                 .pooling = POOLING_NORMALISED,
                                 .keys = KEYS_U64,
                                 .flags = RANDOM_WEIGHTS | RANDOM_BIAS};
}

/* Rows of three bits, each of 9 bytes. */
static struct random_model concatenated_model(void)
{
    return (struct random_model){.seed = 43,
                                 .n_items = 600,
                                 .n_users = 20,
                                 .n_rows = 70,
                                 .dim = 72,
                                 .max_history = 80,
                                 .precision = PRECISION_I3,
                                 .pooling = POOLING_MEAN,
                                 .flags = RANDOM_WEIGHTS,
                                 .combine = COMBINE_CONCAT,
                                 .n_lookups = 3};
}

/* Rows of two bits, each of a word. */
static struct random_model short_model(void)
{
    return (struct random_model){.seed = 44,
                                 .n_items = 600,
                                 .n_users = 20,
                                 .n_rows = 70,
                                 .dim = 16,
                                 .max_history = 80,
                                 .precision = PRECISION_I2,
                                 .pooling = POOLING_MAX,
                                 .flags = RANDOM_BIAS};
}

/* Two parts, each the sum of two rows. */
static struct random_model parts_model(void)
{
    struct random_model spec = packed_model();
    spec.pooling = POOLING_MAX;
    spec.combine = COMBINE_CONCAT;
    spec.n_lookups = 4;
    spec.n_parts = 2;
    return spec;
}

/* Each id weighs its rows, of which items have one and users two. */
static struct random_model weighted_model(void)
{
    struct random_model spec = packed_model();
    spec.precision = PRECISION_I8;
    spec.scales = RANDOM_SCALES_OFFSET;
    spec.pooling = POOLING_MAX;
    spec.flags |= RANDOM_LOOKUP_WEIGHTS | RANDOM_USER_EMBEDDED | RANDOM_FEW_ITEM_LOOKUPS;
    return spec;
}

static struct random_model computed_model(enum mapping_kind kind)
{
    struct random_model spec = packed_model();
    spec.mapping = kind;
    spec.n_lookups = kind == MAPPING_MODULO ? 1 : 2;
    spec.combine = kind == MAPPING_MODULO ? COMBINE_SUM : COMBINE_MULTIPLY;
    return spec;
}

static void every_form_scores_as_the_reference(void **state)
{
    static const struct {
        unsigned model;
        const struct tuning *tuning;
    } cases[] = {{1, &GROUP_32},  {1, &PIPELINE},  {4, &GROUP_64},     {4, &PIPELINE},  {9, &GROUP_32},
                 {12, &PIPELINE}, {17, &GROUP_64}, {22, &PREFETCHING}, {30, &GROUP_32}, {30, &PIPELINE}};
    struct device_setup setup;
    (void)state;
    if (!find_setup(ENGINE_DIRECT, MEMORY_AS_FOUND, &setup))
        find_setup(ENGINE_QUEUED, MEMORY_AS_FOUND, &setup);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct random_model spec = model_choice(cases[i].model);
        check_all(&spec, &setup, &(struct kernels_options){.tuning = cases[i].tuning});
    }
}

/* Of the item form, test_equality has more. */
static void check_in_other_forms(const struct random_model *models, size_t n)
{
    static const struct tuning *const forms[] = {&GROUP_32, &PIPELINE};
    struct device_setup setup;
    if (!find_setup(ENGINE_DIRECT, MEMORY_AS_FOUND, &setup))
        find_setup(ENGINE_QUEUED, MEMORY_AS_FOUND, &setup);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < sizeof forms / sizeof *forms; j++)
            check_all(&models[i], &setup, &(struct kernels_options){.tuning = forms[j]});
}

static void forms_take_models_of_any_shape(void **state)
{
    const struct random_model models[] = {packed_model(), listed_model(), concatenated_model(),
                                          short_model()};
    (void)state;
    check_in_other_forms(models, sizeof models / sizeof *models);
}

/* Building takes most of a simulator's time. */
static void every_form_scores_as_the_reference_in_brief(void **state)
{
    const struct {
        struct random_model model;
        const struct tuning *tuning;
    } cases[] = {{packed_model(), &ITEM},           {packed_model(), &GROUP_32}, {packed_model(), &PIPELINE},
                 {concatenated_model(), &GROUP_32}, {short_model(), &PIPELINE},  {listed_model(), &ITEM}};
    struct device_setup setup;
    (void)state;
    find_setup(ENGINE_QUEUED, MEMORY_AS_FOUND, &setup);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_all(&cases[i].model, &setup, &(struct kernels_options){.tuning = cases[i].tuning});
}

static void forms_take_every_mapping(void **state)
{
    const struct random_model models[] = {parts_model(), weighted_model(), computed_model(MAPPING_MODULO),
                                          computed_model(MAPPING_QUOTIENT)};
    (void)state;
    check_in_other_forms(models, sizeof models / sizeof *models);
}

/* The resident kernel runs the work-item's kernels group by group, whatever form they were built for. */
static void a_pipeline_on_a_ring_scores_every_query(void **state)
{
    struct device_setup setup;
    const struct random_model spec = packed_model();
    (void)state;
    if (!find_setup(ENGINE_RING, MEMORY_AS_FOUND, &setup))
        skip();
    check_all(&spec, &setup, &(struct kernels_options){.tuning = &PIPELINE});
}

static void staged_memory_scores_as_the_reference(void **state)
{
    const struct random_model models[] = {packed_model(), listed_model()};
    struct device_setup setups[DEVICES_MAX_SETUPS];
    size_t n = devices_setups(setups);
    (void)state;
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < sizeof models / sizeof *models && setups[s].memory == MEMORY_STAGED; i++)
            check_all(&models[i], &setups[s], &(struct kernels_options){.tuning = NULL});
}

/* A model of which no table is in one bank. */
static void assert_all_split(const struct random_model *spec, const struct device_setup *setup,
                             const struct memory_wishes *wishes)
{
    struct collide_model *model = random_model_open(spec);
    struct scorer_fixture f;
    scorer_fixture_build(model, setup, (struct kernels_options){.memory = *wishes}, &f);
    const struct kernels *k = f.scorer->kernels[0];
    for (enum scoring_table t = TABLE_PARAMS + 1; t < N_SCORING_TABLES; t++)
        if (k->tables.sources[t].n_bytes > wishes->max_bank_bytes)
            assert_true(k->plan[t].n_banks > 1);
    static const enum scoring_table large[] = {
        TABLE_REMAP,        TABLE_ROWS, TABLE_SCALES,       TABLE_WEIGHTS,   TABLE_BIAS,
        TABLE_USER_HISTORY, TABLE_KEYS, TABLE_USER_OFFSETS, TABLE_KEY_SLOTS, TABLE_ROW_ITEMS};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        assert_true(k->tables.sources[large[i]].n_bytes > wishes->max_bank_bytes);
    scorer_fixture_close(&f);
    collide_model_close(model);
}

static void tables_in_many_banks_score_as_the_reference(void **state)
{
    struct device_setup setup;
    struct random_model spec = listed_model();
    const struct kernels_options options = {.memory.max_bank_bytes = 1024};
    (void)state;
    spec.n_items = 1900;
    spec.n_rows = 400;
    spec.dim = 24;
    spec.n_users = 300;
    spec.max_history = 20;
    spec.scales = RANDOM_SCALES_OFFSET;
    if (!find_setup(ENGINE_DIRECT, MEMORY_AS_FOUND, &setup))
        skip(); /* keys are looked up on devices that share memory */
    assert_all_split(&spec, &setup, &options.memory);
    check_all(&spec, &setup, &options);
}

static void packed_mappings_go_over_banks_word_by_word(void **state)
{
    struct device_setup setup;
    struct random_model spec = packed_model();
    (void)state;
    spec.n_items = 1800;
    spec.n_rows = 120;
    find_setup(ENGINE_QUEUED, MEMORY_AS_FOUND, &setup);
    check_all(&spec, &setup, &(struct kernels_options){.memory.max_bank_bytes = 1024});
}

static void lookup_weights_go_over_banks(void **state)
{
    struct device_setup setup;
    struct random_model spec = packed_model();
    (void)state;
    spec.flags |= RANDOM_LOOKUP_WEIGHTS;
    find_setup(ENGINE_QUEUED, MEMORY_AS_FOUND, &setup);
    check_all(&spec, &setup, &(struct kernels_options){.memory.max_bank_bytes = 1024});
}

static void tables_give_the_same_scores_wherever_they_are(void **state)
{
    static const char *const policies[] = {"auto", "in-place", "copied"};
    enum { N_ITEMS = 300 };
    const struct random_model spec = listed_model();
    struct collide_model *model = random_model_open(&spec);
    struct collide_id items[N_ITEMS];
    float scores[3][N_ITEMS];
    (void)state;
    devices_list();
    for (uint32_t i = 0; i < N_ITEMS; i++)
        items[i] = random_model_key(&spec, i);
    const struct collide_query query = {.history = items, .n_history = 9, .items = items, .n_items = N_ITEMS};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        struct scorer_fixture f;
        struct collide_scorer_info info;
        scorer_fixture_open_with(model, (struct collide_scorer_options){.device = "0", .tables = policies[i]},
                                 &f);
        collide_scorer_info(f.scorer, &info);
        if (i == TABLES_COPIED)
            assert_int_equal(info.in_place_bytes, 0);
        const struct device_info *device = device_info(f.scorer->devices[0]);
        if (device->fine_grain_svm) /* the arguments go with them */
            assert_int_equal(f.scorer->kernels[0]->is_gathered, i != TABLES_IN_PLACE);
        scorer_fixture_score(f.lane, &query, 1, scores[i], NULL);
        assert_memory_equal(scores[i], scores[0], sizeof scores[0]);
        scorer_fixture_close(&f);
    }
    collide_model_close(model);
}

/* Of two machines, one may not have the memory to copy tables. */
static void a_binary_keeps_the_arguments_it_was_built_with(void **state)
{
    static const struct {
        const char *built, *used;
        enum collide_status status;
    } cases[] = {{"in-place", "in-place", COLLIDE_OK},
                 {"in-place", "auto", COLLIDE_OK},
                 {"auto", "auto", COLLIDE_OK},
                 {"auto", "copied", COLLIDE_OK},
                 {"auto", "in-place", COLLIDE_INVALID}};
    const struct random_model spec = listed_model();
    struct collide_model *model = random_model_open(&spec);
    char path[2 * SCRATCH_PATH_BYTES];
    struct scratch scratch;
    (void)state;
    if (!devices_list()->devices[0].fine_grain_svm)
        skip();
    scratch_create(&scratch);
    scratch_path(&scratch, "kernels.bin", path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collide_scorer_options options = {.device = "0", .cache_dir = "", .tables = cases[i].built};
        struct collide_scorer *scorer = NULL;
        struct collide_error err = {0};
        assert_int_equal(collide_kernels_build(model, &options, path, &err), COLLIDE_OK);
        options.tables = cases[i].used;
        options.kernels = path;
        assert_int_equal(collide_scorer_create(model, &options, &scorer, &err), cases[i].status);
        if (scorer)
            assert_int_equal(scorer->kernels[0]->is_gathered, !strcmp(cases[i].built, "auto"));
        else
            assert_non_null(strstr(err.text, "GATHERED"));
        collide_scorer_destroy(scorer);
    }
    scratch_destroy(&scratch);
    collide_model_close(model);
}

static void bag_of_nothing_is_zero(void **state)
{
    static const enum scoring_kernel kernel = KERNEL_BAG;
    const struct random_model models[] = {packed_model(), listed_model(), model_choice(1), model_choice(4)};
    struct device_setup setup;
    (void)state;
    find_setup(ENGINE_QUEUED, MEMORY_AS_FOUND, &setup);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const struct collide_query nothing = {.user = NULL};
        struct collide_model *model = random_model_open(&models[i]);
        struct scorer_fixture f;
        scorer_fixture_build(model, &setup, (struct kernels_options){.tuning = &ITEM}, &f);
        struct fill fill = device_lane_fill(&f.lane->devices[0], 0);
        fill_histories(&fill, &nothing);
        fill.used.n_scores = models[i].dim + 1;
        assert_int_equal(device_lane_submit(&f.lane->devices[0], 0, &kernel, 1, &fill, NULL), COLLIDE_OK);
        assert_int_equal(device_lane_wait(&f.lane->devices[0], 0, NULL), COLLIDE_OK);
        for (uint32_t d = 0; d < models[i].dim; d++)
            assert_true(device_lane_scores(&f.lane->devices[0], 0)[d] == 0.0f);
        scorer_fixture_close(&f);
        collide_model_close(model);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_scores_as_the_reference),
        cmocka_unit_test(forms_take_models_of_any_shape),
        cmocka_unit_test(forms_take_every_mapping),
        cmocka_unit_test(a_pipeline_on_a_ring_scores_every_query),
        cmocka_unit_test(staged_memory_scores_as_the_reference),
        cmocka_unit_test(tables_in_many_banks_score_as_the_reference),
        cmocka_unit_test(packed_mappings_go_over_banks_word_by_word),
        cmocka_unit_test(lookup_weights_go_over_banks),
        cmocka_unit_test(tables_give_the_same_scores_wherever_they_are),
        cmocka_unit_test(a_binary_keeps_the_arguments_it_was_built_with),
        cmocka_unit_test(bag_of_nothing_is_zero),
    };
    const struct CMUnitTest brief[] = {
        cmocka_unit_test(every_form_scores_as_the_reference_in_brief),
        cmocka_unit_test(packed_mappings_go_over_banks_word_by_word),
    };
    if (argc < 2 || strcmp(argv[1], "brief") != 0)
        return cmocka_run_group_tests(tests, NULL, NULL);
    brevity = 40;
    return cmocka_run_group_tests(brief, NULL, NULL);
}
