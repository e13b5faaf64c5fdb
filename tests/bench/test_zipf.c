#include "zipf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N_RANKS = 50, N_DRAWN = 400000 };

/* Five standard deviations of a count. */
static void counts_follow_the_law(void **state)
{
    (void)state;
    static const double exponents[] = {0.5, 1.05, 2.0};
    for (size_t e = 0; e < sizeof exponents / sizeof exponents[0]; e++) {
        struct rng rng = rng_seeded(3, e);
        double total = 0, counts[N_RANKS] = {0};
        for (int r = 0; r < N_RANKS; r++)
            total += pow(r + 1, -exponents[e]);
        for (int i = 0; i < N_DRAWN; i++) {
            uint64_t rank = zipf_draw(&rng, exponents[e], N_RANKS);
            assert_true(rank < N_RANKS);
            counts[rank]++;
        }
        for (int r = 0; r < N_RANKS; r++) {
            double p = pow(r + 1, -exponents[e]) / total;
            assert_true(fabs(counts[r] - N_DRAWN * p) < 5 * sqrt(N_DRAWN * p * (1 - p)));
        }
    }
}

static void one_rank_is_always_drawn(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(zipf_draw(&rng, 1.05, 1), 0);
}

static void large_tables_have_their_tail(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(2, 1);
    uint64_t largest = 0;
    for (int i = 0; i < N_DRAWN; i++) {
        uint64_t rank = zipf_draw(&rng, 1.05, 50000000);
        largest = rank > largest ? rank : largest;
    }
    assert_true(largest < 50000000 && largest > 40000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_follow_the_law),
        cmocka_unit_test(one_rank_is_always_drawn),
        cmocka_unit_test(large_tables_have_their_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
