#include "base/rng.h"
#include "data/pair_sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int by_row_then_value(const void *a, const void *b)
{
    const struct csr_pair *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* The oracle is qsort. */
static void check(struct csr_pair *pairs, size_t n, struct csr_shape shape)
{
    struct csr_pair *sorted = malloc((n + 1) * sizeof *sorted);
    assert_non_null(sorted);
    memcpy(sorted, pairs, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_row_then_value);
    pair_sort(pairs, n, shape);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(pairs[i].row, sorted[i].row);
        assert_int_equal(pairs[i].value, sorted[i].value);
    }
    free(sorted);
}

enum { N_PAIRS = 30000 };

static void check_random(struct csr_shape shape, size_t n, uint64_t seed)
{
    struct rng rng = rng_seeded(seed, 0);
    struct csr_pair *pairs = malloc(N_PAIRS * sizeof *pairs);
    assert_non_null(pairs);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (struct csr_pair){(uint32_t)rng_below(&rng, shape.n_rows),
                                     (uint32_t)rng_below(&rng, shape.n_values)};
    check(pairs, n, shape);
    free(pairs);
}

static void random_pairs_of_any_shape_are_sorted(void **state)
{
    (void)state;
    const uint32_t sizes[] = {1, 3, 256, 257, 70000, UINT32_MAX};
    enum { N_SIZES = sizeof sizes / sizeof *sizes };
    for (size_t r = 0; r < N_SIZES; r++)
        for (size_t v = 0; v < N_SIZES; v++)
            check_random((struct csr_shape){sizes[r], sizes[v]}, N_PAIRS, r * N_SIZES + v);
}

static void any_number_of_pairs_is_sorted(void **state)
{
    (void)state;
    for (size_t n = 1; n < 600; n++)
        check_random((struct csr_shape){1000, 1000}, n, n);
    pair_sort(NULL, 0, (struct csr_shape){0, 0});
}

/* Half of all pairs are of one row, and the next rows halve it on. */
static void skewed_rows_are_sorted(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(5, 0);
    struct csr_pair *pairs = malloc(N_PAIRS * sizeof *pairs);
    assert_non_null(pairs);
    for (size_t i = 0; i < N_PAIRS; i++) {
        uint32_t row = 0;
        while (row < 99999 && rng_below(&rng, 2))
            row++;
        pairs[i] = (struct csr_pair){row, (uint32_t)rng_below(&rng, 50000)};
    }
    check(pairs, N_PAIRS, (struct csr_shape){100000, 50000});
    free(pairs);
}

static void orders_that_are_there_are_no_trouble(void **state)
{
    (void)state;
    struct csr_pair *pairs = malloc(N_PAIRS * sizeof *pairs);
    assert_non_null(pairs);
    for (uint32_t i = 0; i < N_PAIRS; i++)
        pairs[i] = (struct csr_pair){i / 10, i % 10};
    check(pairs, N_PAIRS, (struct csr_shape){N_PAIRS / 10, 10});
    for (uint32_t i = 0; i < N_PAIRS; i++)
        pairs[i] = (struct csr_pair){(N_PAIRS - 1 - i) / 10, 9 - i % 10};
    check(pairs, N_PAIRS, (struct csr_shape){N_PAIRS / 10, 10});
    for (uint32_t i = 0; i < N_PAIRS; i++)
        pairs[i] = (struct csr_pair){7, 7};
    check(pairs, N_PAIRS, (struct csr_shape){8, 8});
    free(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pairs_of_any_shape_are_sorted),
        cmocka_unit_test(any_number_of_pairs_is_sorted),
        cmocka_unit_test(skewed_rows_are_sorted),
        cmocka_unit_test(orders_that_are_there_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
