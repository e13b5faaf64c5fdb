#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N_DRAWS = 100000 };

static void the_same_seed_gives_the_same_numbers(void **state)
{
    (void)state;
    struct rng a = rng_seeded(7, 1), b = rng_seeded(7, 1), other_stream = rng_seeded(7, 2),
               other_seed = rng_seeded(8, 1);
    for (int i = 0; i < 100; i++) {
        uint64_t value = rng_u64(&a);
        assert_true(value == rng_u64(&b));
        assert_true(value != rng_u64(&other_stream));
        assert_true(value != rng_u64(&other_seed));
    }
}

/* The first outputs of the authors' splitmix64.c from state 1234567, as in its published test vectors. */
static void splitmix64_matches_its_published_values(void **state)
{
    (void)state;
    uint64_t x = 1234567;
    assert_true(rng_splitmix64(&x) == 6457827717110365317u);
    assert_true(rng_splitmix64(&x) == 3203168211198807973u);
}

/* xoshiro256** from state {1, 2, 3, 4}: worked by hand from the definition rotl(s1 * 5, 7) * 9. */
static void xoshiro_follows_its_definition(void **state)
{
    (void)state;
    struct rng r = {{1, 2, 3, 4}};
    assert_true(rng_u64(&r) == 11520);
    assert_true(rng_u64(&r) == 0);
    assert_true(rng_u64(&r) == 1509978240);
}

/* Chi-square over 100 cells: mean 99, standard deviation sqrt(198) = 14.1; five of them is 170. */
static void below_is_in_range_and_uniform(void **state)
{
    (void)state;
    struct rng r = rng_seeded(3, 0);
    double counts[100] = {0}, expected = N_DRAWS / 100.0, chi2 = 0;
    for (int i = 0; i < N_DRAWS; i++) {
        uint64_t value = rng_below(&r, 100);
        assert_in_range(value, 0, 99);
        counts[value]++;
    }
    for (int i = 0; i < 100; i++)
        chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
    assert_true(chi2 < 170);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rng_below(&r, 1), 0);
}

/* Mean 1/2 with standard error sqrt(1/12 / n), second moment 1/3 with sqrt(4/45 / n): five errors each. */
static void doubles_are_uniform_in_the_unit_interval(void **state)
{
    (void)state;
    struct rng r = rng_seeded(4, 0);
    double sum = 0, squares = 0;
    for (int i = 0; i < N_DRAWS; i++) {
        double u = rng_double(&r);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
        squares += u * u;
    }
    assert_true(fabs(sum / N_DRAWS - 0.5) < 5 * sqrt(1.0 / 12 / N_DRAWS));
    assert_true(fabs(squares / N_DRAWS - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N_DRAWS));
}

/* Moments 0, 1, 3 of orders 1, 2, 4; their variances over n are 1, 2 and 96. */
static void normals_have_normal_moments(void **state)
{
    (void)state;
    struct rng r = rng_seeded(5, 0);
    double m1 = 0, m2 = 0, m4 = 0;
    for (int i = 0; i < N_DRAWS; i++) {
        double z = rng_normal(&r);
        m1 += z / N_DRAWS;
        m2 += z * z / N_DRAWS;
        m4 += z * z * z * z / N_DRAWS;
    }
    assert_true(fabs(m1) < 5 * sqrt(1.0 / N_DRAWS));
    assert_true(fabs(m2 - 1) < 5 * sqrt(2.0 / N_DRAWS));
    assert_true(fabs(m4 - 3) < 5 * sqrt(96.0 / N_DRAWS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(splitmix64_matches_its_published_values),
        cmocka_unit_test(xoshiro_follows_its_definition),
        cmocka_unit_test(below_is_in_range_and_uniform),
        cmocka_unit_test(doubles_are_uniform_in_the_unit_interval),
        cmocka_unit_test(normals_have_normal_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
