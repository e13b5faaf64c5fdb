#include "percentiles.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void they_go_from_the_least_to_the_largest(void **state)
{
    (void)state;
    struct histogram *h = calloc(1, sizeof *h);
    assert_non_null(h);
    for (uint64_t i = 1; i <= 10000; i++)
        histogram_record(h, i);
    struct percentiles all = percentiles_of(h, 5);
    struct percentile p, before = {-1, 0};
    size_t n = 0;
    for (; percentiles_next(&all, &p); n++) {
        assert_true(p.quantile > before.quantile && p.value >= before.value);
        /* The exact one is i = ceil(q n), and steps are 1/128. */
        double exact = fmax(1, ceil(p.quantile * 10000 - 1e-6));
        assert_true((double)p.value >= exact - 1e-6 && (double)p.value <= exact * (1 + 1.0 / 128) + 1);
        before = p;
    }
    assert_true(before.quantile == 1);
    assert_int_equal(before.value, 10000);
    /* Five for each halving of the distance to 1, until only the largest value's step is left: 16 of 10,000
     * values are in it, 9.3 halvings. */
    assert_in_range(n, 5 * 9, 5 * 10 + 2);
    free(h);
}

static void of_one_value_there_is_one_point_and_of_none_none(void **state)
{
    (void)state;
    struct histogram *h = calloc(1, sizeof *h);
    struct percentile p;
    assert_non_null(h);
    struct percentiles none = percentiles_of(h, 5);
    assert_false(percentiles_next(&none, &p));
    histogram_record(h, 7);
    struct percentiles one = percentiles_of(h, 5);
    assert_true(percentiles_next(&one, &p));
    assert_true(p.quantile == 1);
    assert_int_equal(p.value, 7);
    assert_false(percentiles_next(&one, &p));
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_go_from_the_least_to_the_largest),
        cmocka_unit_test(of_one_value_there_is_one_point_and_of_none_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
