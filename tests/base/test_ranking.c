#include "base/ranking.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void quality_by_hand(void **state)
{
    (void)state;
    /* Three relevant items, at ranks 2 and 4; the third is not found. */
    const uint32_t ranks[] = {4, 0, 2};
    struct ranking_quality q = ranking_measure_ranks(ranks, 3, 5);
    assert_true(fabs(q.recall - 2.0 / 3) < 1e-12);
    assert_true(fabs(q.ndcg - (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3) + 0.5)) < 1e-12);
    q = ranking_measure_ranks(ranks, 3, 2);
    assert_true(fabs(q.recall - 0.5) < 1e-12);
    assert_true(fabs(q.ndcg - 1 / log2(3) / (1 + 1 / log2(3))) < 1e-12);
}

static void ranks_and_lists_of_hits_say_the_same(void **state)
{
    (void)state;
    enum { N = 40 };
    struct rng rng = rng_seeded(1, 0);
    for (int round = 0; round < 500; round++) {
        bool is_hit[N];
        uint32_t ranks[2 * N];
        size_t n_ranked = rng_below(&rng, N + 1), n_relevant = 0, cutoff = 1 + rng_below(&rng, N + 5);
        for (uint32_t r = 0; r < n_ranked; r++) {
            is_hit[r] = rng_below(&rng, 3) == 0;
            if (is_hit[r])
                ranks[n_relevant++] = r + 1;
        }
        for (uint64_t n_missed = 1 + rng_below(&rng, 8); n_missed > 0; n_missed--)
            ranks[n_relevant++] = 0;
        struct ranking_quality a = ranking_measure(is_hit, n_ranked, n_relevant, cutoff),
                               b = ranking_measure_ranks(ranks, n_relevant, cutoff);
        assert_true(fabs(a.recall - b.recall) < 1e-12 && fabs(a.ndcg - b.ndcg) < 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quality_by_hand),
        cmocka_unit_test(ranks_and_lists_of_hits_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
