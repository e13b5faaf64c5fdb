/* The kernels as C, under sanitizers: nothing is touched beside the arrays, results are the truth's. */
#include "setting.h"
#include "topk_check.h"
#include "truth.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include <cmocka.h>

static void assert_near(const struct setting *s, const char *what, double result, struct near truth)
{
    if (!(fabs(result - truth.value) <= truth.tolerance)) {
        for (int i = 0; i < N_CHOICES; i++)
            print_error("%s ", s->spec->choices[i]);
        fail_msg("%s: %.9g, not %.9g within %.3g", what, result, truth.value, truth.tolerance);
    }
}

static size_t n_groups(const struct setting *s)
{
    return s->spec->form == AS_C_PIPELINE ? 1 : s->sizes.n_queries;
}

static void check_bags(const struct setting *s)
{
    uint32_t dim = s->spec->kernels->dim, n_queries = s->sizes.n_queries;
    float *bags = setting_run(s, AS_C_BAG, n_groups(s), NULL, (size_t)n_queries * (dim + 1));
    for (uint32_t i = 0; i < n_queries; i++) {
        bool is_sum = s->spec->sharded || s->queries[i].flags & QUERY_SUM;
        struct truth_bag truth = truth_bag_create(s, &s->queries[i], is_sum ? TRUTH_SUM : TRUTH_POOLED);
        const float *bag = bags + (size_t)i * (dim + 1);
        for (uint32_t d = 0; d < dim; d++)
            assert_near(s, "bag", (double)bag[d], (struct near){truth.values[d], truth.tolerances[d]});
        if (s->spec->pooling == POOLING_MEAN)
            assert_near(s, "weight", (double)bag[dim], truth.weight);
        truth_bag_destroy(&truth);
    }
    free(bags);
}

static void check_scores(const struct setting *s)
{
    float *scores = setting_run(s, AS_C_SCORE, n_groups(s), NULL, s->items.n);
    for (uint32_t i = 0; i < s->sizes.n_queries; i++) {
        const device_query *q = &s->queries[i];
        struct truth_bag truth = truth_query_create(s, q);
        for (uint32_t j = q->items_begin; j < q->items_end; j++)
            assert_near(s, "score", (double)scores[j], truth_score(s, &truth, s->items.meant[j]));
        truth_bag_destroy(&truth);
    }
    free(scores);
}

static void check_row_scores(const struct setting *s)
{
    uint32_t n_chunks = s->spec->kernels->n_parts;
    uint32_t n_rows = s->params.row_end - s->params.row_begin, n_queries = s->sizes.n_queries;
    float *scores = block((size_t)n_queries * n_chunks * n_rows, sizeof *scores), *score = scores;
    free(setting_run(s, AS_C_ROWS, (size_t)n_queries * s->queries[0].n_parts, scores, 0));
    for (uint32_t i = 0; s->spec->combine != COMBINE_MULTIPLY && i < n_queries; i++) {
        struct truth_bag truth = truth_query_create(s, &s->queries[i]);
        for (uint32_t chunk = 0; chunk < n_chunks; chunk++)
            for (uint32_t row = 0; row < n_rows; row++, score++)
                if (s->queries[i].k > 0) /* it is no top-k query else */
                    assert_near(s, "row", (double)*score,
                                truth_row_score(s, &truth, s->params.row_begin + row, chunk));
        truth_bag_destroy(&truth);
    }
    free(scores);
}

static void check_setting(const struct setting *s)
{
    check_bags(s);
    check_scores(s);
    check_row_scores(s);
    topk_check(s);
}

static void run_setting(const struct setting *s)
{
    free(setting_run(s, AS_C_BAG, n_groups(s), NULL,
                     (size_t)s->sizes.n_queries * (s->spec->kernels->dim + 1)));
    free(setting_run(s, AS_C_SCORE, n_groups(s), NULL, s->items.n));
    topk_run(s);
}

static void for_each_setting(enum hostility hostility, void (*check)(const struct setting *s))
{
    static const struct sizes sizes[] = {
        {100, 20, 60, 10, 70, 5, 90, 90}, /* longer than a tile, and than prefetch looks ahead */
        {1, 0, 1, 1, 3, 4, 4, 4},         /* as small as can be */
        {7, 2, 3, 0, 0, 5, 5, 9},         /* no users */
        {80, 0, 1, 4, 0, 3, 0, 40},       /* only empty histories */
        {9, 3, 30, 5, 20, 4, 20, 0},      /* no candidates */
        {40, 5, 10, 6, 17, 5, 16, 33},    /* lengths around ROW_AHEAD and REMAP_AHEAD */
    };
    for (size_t i = 0; i < n_specialisations; i++)
        for (size_t z = 0; z < sizeof sizes / sizeof *sizes; z++) {
            struct specialisation spec = specialisation_read(i);
            struct rng rng = rng_seeded(i * 100 + z, hostility);
            struct setting s = setting_create(&spec, &sizes[z], hostility, &rng);
            check(&s);
            setting_destroy(&s);
        }
}

static void kernels_match_the_truth_and_stay_inside_their_arrays(void **state)
{
    (void)state;
    for_each_setting(AS_WRITTEN, check_setting);
}

static void damaged_models_lead_nowhere_outside(void **state)
{
    (void)state;
    for_each_setting(DAMAGED, check_setting);
}

static void lost_key_slots_are_not_searched_for_ever(void **state)
{
    (void)state;
    for_each_setting(LOST_SLOTS, run_setting);
}

static void keys_are_found_where_xxh3_puts_them(void **state)
{
    (void)state;
    enum { N = 3000 };
    static const struct sizes sizes = {.n_items = N, .n_rows = 1, .n_queries = 1};
    size_t n_tried = 0;
    for (size_t i = 0; i < n_specialisations; i++) {
        struct specialisation spec = specialisation_read(i);
        if (!spec.keyed || spec.kernels->banks[AS_C_KEYS].n > 1)
            continue;
        struct rng rng = rng_seeded(i, 0);
        struct setting s = setting_create(&spec, &sizes, AS_WRITTEN, &rng);
        struct kernel_arguments arguments = setting_arguments(&s);
        const uint64_t *keys = s.tables[AS_C_KEYS].entries;
        for (uint32_t id = 0; id < N; id++) {
            assert_int_equal(spec.kernels->find_item(&arguments, keys[id]), id);
            assert_int_equal(spec.kernels->find_item(&arguments, rng_u64(&rng)), N);
        }
        setting_destroy(&s);
        n_tried++;
    }
    assert_true(n_tried > 0);
}

/* Sharded bags have to be linear; asking ahead is for CPUs; some mappings have so many lookups; classes have
 * both weights and biases. */
static bool may_meet(const char *x, const char *y, int column_x, int column_y)
{
    enum {
        FORM = 0,
        COMBINE = 2,
        MAP = 3,
        POOL = 4,
        WEIGHTED = 5,
        BIASED = 6,
        PREFETCH = 8,
        SHARDED = 10,
        CLASSES = 14
    };
    if (column_x == COMBINE && column_y == MAP)
        return !strcmp(y, "MODULO") ? x[0] == '1' : strcmp(y, "QUOTIENT") || x[0] == '2';
    bool is_set = !strcmp(y, "1");
    if (column_y == CLASSES && is_set)
        return (column_x != WEIGHTED && column_x != BIASED) || !strcmp(x, "1");
    if (column_y == SHARDED && is_set)
        return !(column_x == COMBINE && strstr(x, "MULTIPLY")) && !(column_x == POOL && !strcmp(x, "MAX"));
    return !(column_x == FORM && column_y == PREFETCH && is_set) || !strcmp(x, "ITEM");
}

static bool have_met(const char *x, const char *y, int column_x, int column_y)
{
    for (size_t i = 0; i < n_specialisations; i++) {
        struct specialisation s = specialisation_read(i);
        if (!strcmp(s.choices[column_x], x) && !strcmp(s.choices[column_y], y))
            return true;
    }
    return false;
}

/* A list that lost a line would still pass the other tests. */
static void every_two_choices_meet_in_some_specialisation(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_specialisations; i++)
        for (size_t j = 0; j < n_specialisations; j++) {
            struct specialisation s = specialisation_read(i), other = specialisation_read(j);
            for (int x = 0; x < N_CHOICES; x++)
                for (int y = x + 1; y < N_CHOICES; y++) {
                    const char *a = s.choices[x], *b = other.choices[y];
                    if (may_meet(a, b, x, y) && !have_met(a, b, x, y))
                        fail_msg("%s and %s have not met", a, b);
                }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_two_choices_meet_in_some_specialisation),
        cmocka_unit_test(keys_are_found_where_xxh3_puts_them),
        cmocka_unit_test(kernels_match_the_truth_and_stay_inside_their_arrays),
        cmocka_unit_test(damaged_models_lead_nowhere_outside),
        cmocka_unit_test(lost_key_slots_are_not_searched_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
