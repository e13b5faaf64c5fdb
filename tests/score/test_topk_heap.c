#include "score/topk.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_ENTRIES = 300 };

static int best_first(const void *a, const void *b)
{
    const struct scored_id *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Keeps the k best of n entries, whose scores take only n_scores different values, and compares with sorting
 * them all. */
static void assert_best(struct rng *rng, size_t n, size_t k, uint64_t n_scores)
{
    struct scored_id all[MAX_ENTRIES], kept[MAX_ENTRIES + 1];
    for (size_t i = 0; i < n; i++)
        all[i] = (struct scored_id){.score = (float)rng_below(rng, n_scores) - 2.0f, .id = (uint32_t)i};
    for (size_t i = n; i > 1; i--) {
        size_t j = rng_below(rng, i);
        struct scored_id t = all[i - 1];
        all[i - 1] = all[j];
        all[j] = t;
    }
    const struct scored_id guard = {.score = 123.0f, .id = 456};
    kept[k] = guard;
    struct topk t = {.entries = kept, .capacity = k};
    for (size_t i = 0; i < n; i++)
        topk_offer(&t, all[i]);
    topk_sort(&t);
    qsort(all, n, sizeof *all, best_first);
    assert_int_equal(t.n, n < k ? n : k);
    assert_memory_equal(kept, all, t.n * sizeof *kept);
    assert_memory_equal(&kept[k], &guard, sizeof guard);
}

static void the_best_come_out_in_order(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 7, 64, MAX_ENTRIES};
    struct rng rng = rng_seeded(1, 0);
    for (size_t n = 0; n < 7; n++)
        for (size_t k = 0; k < 7; k++)
            for (int i = 0; i < 20; i++)
                assert_best(&rng, sizes[n], sizes[k], UINT32_MAX);
}

static void ties_go_to_the_smaller_id(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(2, 0);
    for (uint64_t n_scores = 1; n_scores <= 5; n_scores++)
        for (size_t k = 1; k < 40; k++)
            assert_best(&rng, MAX_ENTRIES, k, n_scores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_come_out_in_order),
        cmocka_unit_test(ties_go_to_the_smaller_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
