#include "base/histogram.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N_VALUES = 20000 };

struct sample {
    struct histogram histogram;
    uint64_t sorted[N_VALUES];
};

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Of every magnitude alike, from 0 to 2^63. */
static uint64_t draw_value(struct rng *r)
{
    return rng_u64(r) >> (1 + rng_below(r, 63));
}

static int make_sample(void **state)
{
    struct sample *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    struct rng r = rng_seeded(1, 0);
    for (size_t i = 0; i < N_VALUES; i++) {
        s->sorted[i] = draw_value(&r);
        histogram_record(&s->histogram, s->sorted[i]);
    }
    qsort(s->sorted, N_VALUES, sizeof *s->sorted, compare_u64);
    *state = s;
    return 0;
}

static int free_sample(void **state)
{
    free(*state);
    return 0;
}

/* The quantile is the upper edge of the step that holds the exact one; a step is at most 1/128 of its values.
 */
static void quantiles_are_within_a_step_of_the_sorted_values(void **state)
{
    struct sample *s = *state;
    for (uint64_t k = 1; k <= 1024; k++) {
        uint64_t exact = s->sorted[(k * N_VALUES + 1023) / 1024 - 1];
        uint64_t got = histogram_quantile(&s->histogram, (double)k / 1024);
        assert_true(got >= exact);
        assert_true(got - exact <= exact / 128);
    }
}

static void extremes_and_small_values_are_exact(void **state)
{
    struct sample *s = *state;
    assert_true(s->histogram.min == s->sorted[0]);
    assert_true(s->histogram.max == s->sorted[N_VALUES - 1]);
    assert_true(histogram_quantile(&s->histogram, 1.0) == s->sorted[N_VALUES - 1]);
    histogram_reset(&s->histogram);
    for (uint64_t v = 0; v < 256; v++)
        histogram_record(&s->histogram, v);
    for (uint64_t v = 0; v < 256; v++)
        assert_true(histogram_quantile(&s->histogram, (double)(v + 1) / 256) == v);
}

static void merging_equals_recording_everything_in_one(void **state)
{
    struct sample *s = *state;
    struct histogram *parts = calloc(3, sizeof *parts);
    assert_non_null(parts);
    for (size_t i = 0; i < N_VALUES; i++)
        histogram_record(&parts[1 + i % 2], s->sorted[i]);
    histogram_merge(&parts[0], &parts[1]);
    histogram_merge(&parts[0], &parts[2]);
    assert_memory_equal(&parts[0], &s->histogram, sizeof parts[0]);
    free(parts);
}

static void the_count_to_a_value_is_that_of_its_step_and_below(void **state)
{
    struct sample *s = *state;
    for (size_t i = 0; i < N_VALUES; i += 97) {
        uint64_t value = s->sorted[i], n = histogram_count_to(&s->histogram, value), exact = 0;
        while (exact < N_VALUES && s->sorted[exact] <= value)
            exact++;
        /* Those above it in its step are within 1/128 of it. */
        assert_true(n >= exact && n <= N_VALUES);
        assert_true(n == exact || s->sorted[n - 1] - value <= value / 128);
    }
}

/* Two values as often as each other deviate by half their distance. */
static void the_deviation_is_that_of_the_values(void **state)
{
    struct sample *s = *state;
    histogram_reset(&s->histogram);
    assert_true(histogram_deviation(&s->histogram) == 0);
    for (int i = 0; i < 10; i++) {
        histogram_record(&s->histogram, 10);
        histogram_record(&s->histogram, 30);
    }
    assert_true(fabs(histogram_deviation(&s->histogram) - 10) < 1e-9);
    for (int i = 0; i < 10; i++) {
        histogram_record(&s->histogram, 1000000);
        histogram_record(&s->histogram, 3000000);
    }
    /* Half of them near 20 and half near 2e6: 2e6 +- 1e6 there; exact to a step, 1/128. */
    double mean = (20 + 2e6) / 2;
    double exact = sqrt((2 * mean * mean + (1e6 - mean) * (1e6 - mean) + (3e6 - mean) * (3e6 - mean)) / 4);
    assert_true(fabs(histogram_deviation(&s->histogram) / exact - 1) < 1.0 / 128);
}

static void an_empty_histogram_reports_zero(void **state)
{
    struct sample *s = *state;
    histogram_reset(&s->histogram);
    assert_int_equal(histogram_quantile(&s->histogram, 0.99), 0);
    assert_true(histogram_mean(&s->histogram) == 0.0);
}

static void the_largest_value_has_a_bucket(void **state)
{
    struct sample *s = *state;
    histogram_record(&s->histogram, UINT64_MAX);
    assert_true(histogram_quantile(&s->histogram, 1.0) == UINT64_MAX);
}

int main(void)
{
#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, make_sample, free_sample)
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(quantiles_are_within_a_step_of_the_sorted_values),
        WITH_SAMPLE(extremes_and_small_values_are_exact),
        WITH_SAMPLE(merging_equals_recording_everything_in_one),
        WITH_SAMPLE(the_count_to_a_value_is_that_of_its_step_and_below),
        WITH_SAMPLE(the_deviation_is_that_of_the_values),
        WITH_SAMPLE(an_empty_histogram_reports_zero),
        WITH_SAMPLE(the_largest_value_has_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
