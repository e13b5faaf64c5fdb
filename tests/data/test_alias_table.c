#include "data/alias_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The chance of every outcome follows from the table itself, so nothing needs drawing: slot i keeps its draws
 * with chance keep[i] and gives the rest away. keep is a float, hence the tolerance of a few 2^-24 per slot.
 */
static void assert_distribution(const double *weights, uint32_t n)
{
    struct alias_slot slots[64];
    double scratch[64], chance[64] = {0};
    uint32_t pending[64];
    double sum = 0;
    assert_true(n <= 64);
    for (uint32_t i = 0; i < n; i++)
        sum += scratch[i] = weights[i];
    alias_fill(slots, scratch, n, pending);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(slots[i].other < n);
        chance[i] += (double)slots[i].keep / n;
        chance[slots[i].other] += (1 - (double)slots[i].keep) / n;
    }
    for (uint32_t i = 0; i < n; i++)
        assert_true(fabs(chance[i] - weights[i] / sum) < 0x1p-22);
}

static void chances_follow_the_weights(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 0);
    assert_distribution((double[]){3}, 1);
    assert_distribution((double[]){0, 1}, 2);
    assert_distribution((double[]){1, 1, 1}, 3);
    assert_distribution((double[]){1e-9, 5, 0, 1e9}, 4);
    for (int round = 0; round < 200; round++) {
        double weights[64];
        uint32_t n = 1 + (uint32_t)rng_below(&rng, 64);
        for (uint32_t i = 0; i < n; i++)
            weights[i] = exp(3 * rng_normal(&rng));
        assert_distribution(weights, n);
    }
}

/* The count of an outcome of chance p in n draws has standard deviation sqrt(n p (1 - p)): five of them. */
static void draws_follow_the_chances(void **state)
{
    (void)state;
    enum { N = 5, N_DRAWS = 100000 };
    const double share[N] = {0.5, 0.25, 0.125, 0.125, 0};
    double weights[N];
    struct alias_slot slots[N];
    uint32_t pending[N];
    unsigned counts[N] = {0};
    for (int i = 0; i < N; i++)
        weights[i] = share[i];
    alias_fill(slots, weights, N, pending);
    struct rng rng = rng_seeded(2, 0);
    for (int i = 0; i < N_DRAWS; i++)
        counts[alias_draw(slots, N, &rng)]++;
    for (int i = 0; i < N; i++)
        assert_true(fabs(counts[i] - N_DRAWS * share[i]) <= 5 * sqrt(N_DRAWS * share[i] * (1 - share[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chances_follow_the_weights),
        cmocka_unit_test(draws_follow_the_chances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
