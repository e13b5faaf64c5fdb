#include "figures.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_quantile_needs_ten_samples_beyond_it(void **state)
{
    (void)state;
    assert_false(quantile_is_known(19, 0.5));
    assert_true(quantile_is_known(20, 0.5));
    assert_false(quantile_is_known(99, 0.9));
    assert_true(quantile_is_known(100, 0.9));
    assert_false(quantile_is_known(999, 0.99));
    assert_true(quantile_is_known(1000, 0.99));
    assert_false(quantile_is_known(9999, 0.999));
    assert_true(quantile_is_known(10000, 0.999));
    assert_false(quantile_is_known(0, 0.5));
}

static void figures_of_too_little_are_not_known(void **state)
{
    (void)state;
    struct load_stats *s = calloc(1, sizeof *s);
    assert_non_null(s);
    assert_true(isnan(figure_mean_us(s)));
    assert_true(isnan(figure_max_us(s)));
    assert_true(figure_rate(s) == 0.0);
    for (int i = 0; i < 30; i++)
        histogram_record(&s->latency_ns, 64 * 1024);
    s->elapsed_ns = 2000000000;
    assert_true(fabs(figure_quantile_us(s, 0.5) - 65.536) < 1e-9);
    assert_true(isnan(figure_quantile_us(s, 0.9)));
    assert_true(fabs(figure_mean_us(s) - 65.536) < 1e-9);
    assert_true(figure_rate(s) == 15.0);
    free(s);
}

static void spread_is_minimum_median_and_maximum(void **state)
{
    (void)state;
    struct spread odd = figure_spread((double[]){5, 1, 3}, 3);
    assert_true(odd.min == 1 && odd.median == 3 && odd.max == 5);
    struct spread even = figure_spread((double[]){4, 1, 3, 2}, 4);
    assert_true(even.min == 1 && even.median == 2.5 && even.max == 4);
    assert_true(isnan(figure_spread((double[]){4, NAN}, 2).median));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantile_needs_ten_samples_beyond_it),
        cmocka_unit_test(figures_of_too_little_are_not_known),
        cmocka_unit_test(spread_is_minimum_median_and_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
