#include "arrivals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N_ARRIVALS = 100000 };

static void constant_arrivals_are_evenly_spaced_from_the_start(void **state)
{
    (void)state;
    struct arrivals a = arrivals_at_rate(ARRIVALS_CONSTANT, 1000, rng_seeded(1, 0));
    for (uint64_t i = 0; i < N_ARRIVALS; i++) {
        assert_int_equal(arrivals_due_ns(&a), i * 1000000);
        arrivals_advance(&a);
    }
}

/* A rate whose gap is no whole number of nanoseconds must not drift: below 1e14 a double is good to 1/64 ns,
 * and so is each of the additions. */
static void odd_rates_do_not_drift(void **state)
{
    (void)state;
    struct arrivals a = arrivals_at_rate(ARRIVALS_CONSTANT, 3000, rng_seeded(1, 0));
    for (int i = 0; i < N_ARRIVALS; i++)
        arrivals_advance(&a);
    double exact_ns = N_ARRIVALS * 1e9 / 3000, error_ns = (double)arrivals_due_ns(&a) - exact_ns;
    assert_true(fabs(error_ns) < 1 + N_ARRIVALS / 64.0);
}

/* Exponential gaps: mean m with standard error m / sqrt(n), second moment 2 m^2 with m^2 sqrt(20 / n) (the
 * fourth moment is 24 m^4). Five errors each. */
static void poisson_gaps_have_exponential_moments(void **state)
{
    (void)state;
    const double gap_ns = 50000;
    struct arrivals a = arrivals_at_rate(ARRIVALS_POISSON, 1e9 / gap_ns, rng_seeded(7, 0));
    double before = 0, mean = 0, second = 0;
    for (int i = 0; i < N_ARRIVALS; i++) {
        double gap = a.due_ns - before;
        assert_true(gap >= 0);
        before = a.due_ns;
        mean += gap / N_ARRIVALS;
        second += gap * gap / N_ARRIVALS;
        arrivals_advance(&a);
    }
    assert_true(fabs(mean / gap_ns - 1) < 5 / sqrt(N_ARRIVALS));
    assert_true(fabs(second / (gap_ns * gap_ns) - 2) < 5 * sqrt(20.0 / N_ARRIVALS));
}

static void the_same_seed_gives_the_same_schedule(void **state)
{
    (void)state;
    struct arrivals a = arrivals_at_rate(ARRIVALS_POISSON, 100, rng_seeded(7, 0)), b = a;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(arrivals_due_ns(&a), arrivals_due_ns(&b));
        arrivals_advance(&a);
        arrivals_advance(&b);
    }
}

static void restarting_begins_at_zero_with_new_gaps(void **state)
{
    (void)state;
    struct arrivals a = arrivals_at_rate(ARRIVALS_POISSON, 100, rng_seeded(7, 0));
    double first = a.due_ns;
    arrivals_advance(&a);
    arrivals_restart(&a);
    assert_true(a.due_ns != first);
    struct arrivals c = arrivals_at_rate(ARRIVALS_CONSTANT, 100, rng_seeded(7, 0));
    arrivals_advance(&c);
    arrivals_restart(&c);
    assert_int_equal(arrivals_due_ns(&c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_arrivals_are_evenly_spaced_from_the_start),
        cmocka_unit_test(odd_rates_do_not_drift),
        cmocka_unit_test(poisson_gaps_have_exponential_moments),
        cmocka_unit_test(the_same_seed_gives_the_same_schedule),
        cmocka_unit_test(restarting_begins_at_zero_with_new_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
