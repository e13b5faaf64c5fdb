#include "base/rng.h"
#include "data/csr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct csr csr_of(const struct csr_pair *pairs, size_t n_pairs, struct csr_shape shape)
{
    struct csr c;
    struct csr_pairs taken = {0};
    for (size_t i = 0; i < n_pairs; i++)
        assert_int_equal(csr_pairs_add(&taken, pairs[i], NULL), COLLIDE_OK);
    assert_int_equal(csr_from_pairs(&taken, shape, &c, NULL), COLLIDE_OK);
    return c;
}

static void rows_are_sorted_and_have_no_duplicates(void **state)
{
    (void)state;
    const struct csr_pair pairs[] = {{2, 5}, {0, 1}, {2, 0}, {2, 5}, {0, 0}, {2, 3}, {0, 1}, {3, 5}};
    struct csr c = csr_of(pairs, 8, (struct csr_shape){4, 6});
    assert_int_equal(c.n_rows, 4);
    assert_memory_equal(c.offsets, ((uint64_t[]){0, 2, 2, 5, 6}), 5 * sizeof(uint64_t));
    assert_memory_equal(c.values, ((uint32_t[]){0, 1, 0, 3, 5, 5}), 6 * sizeof(uint32_t));
    csr_free(&c);
    assert_null(c.values);
}

static void equal_values_of_neighbouring_rows_are_no_duplicates(void **state)
{
    (void)state;
    struct csr c = csr_of((struct csr_pair[]){{0, 7}, {1, 7}, {1, 7}, {2, 7}}, 4, (struct csr_shape){3, 8});
    assert_memory_equal(c.offsets, ((uint64_t[]){0, 1, 2, 3}), 4 * sizeof(uint64_t));
    csr_free(&c);
}

static void no_pairs_make_empty_rows(void **state)
{
    (void)state;
    struct csr c = csr_of(&(struct csr_pair){0}, 0, (struct csr_shape){3, 0});
    assert_memory_equal(c.offsets, ((uint64_t[]){0, 0, 0, 0}), 4 * sizeof(uint64_t));
    csr_free(&c);
    c = csr_of(NULL, 0, (struct csr_shape){0, 0});
    assert_int_equal(c.offsets[0], 0);
    csr_free(&c);
}

/* The oracle is a bit per pair. */
static void random_pairs_match_a_bitmap(void **state)
{
    (void)state;
    enum { N_ROWS = 17, N_VALUES = 23 };
    struct rng rng = rng_seeded(3, 0);
    for (int round = 0; round < 300; round++) {
        struct csr_pair pairs[400];
        bool seen[N_ROWS][N_VALUES] = {0};
        size_t n_pairs = rng_below(&rng, 401);
        for (size_t i = 0; i < n_pairs; i++) {
            pairs[i] =
                (struct csr_pair){(uint32_t)rng_below(&rng, N_ROWS), (uint32_t)rng_below(&rng, N_VALUES)};
            seen[pairs[i].row][pairs[i].value] = true;
        }
        struct csr c = csr_of(pairs, n_pairs, (struct csr_shape){N_ROWS, N_VALUES});
        for (uint32_t r = 0; r < N_ROWS; r++) {
            uint64_t at = c.offsets[r];
            for (uint32_t v = 0; v < N_VALUES; v++)
                if (seen[r][v])
                    assert_int_equal(c.values[at++], v);
            assert_int_equal(at, c.offsets[r + 1]);
        }
        csr_free(&c);
    }
}

static void transposed_twice_is_as_before(void **state)
{
    (void)state;
    enum { N_ROWS = 13, N_VALUES = 9 };
    struct rng rng = rng_seeded(4, 0);
    for (int round = 0; round < 100; round++) {
        struct csr_pair pairs[60];
        bool seen[N_ROWS][N_VALUES] = {0};
        size_t n_pairs = rng_below(&rng, 61);
        for (size_t i = 0; i < n_pairs; i++) {
            pairs[i] =
                (struct csr_pair){(uint32_t)rng_below(&rng, N_ROWS), (uint32_t)rng_below(&rng, N_VALUES)};
            seen[pairs[i].row][pairs[i].value] = true;
        }
        struct csr c = csr_of(pairs, n_pairs, (struct csr_shape){N_ROWS, N_VALUES}), t, back;
        assert_int_equal(csr_transpose(&c, N_VALUES, &t, NULL), COLLIDE_OK);
        assert_int_equal(t.n_rows, N_VALUES);
        for (uint32_t v = 0; v < N_VALUES; v++) {
            uint64_t at = t.offsets[v];
            for (uint32_t r = 0; r < N_ROWS; r++)
                if (seen[r][v])
                    assert_int_equal(t.values[at++], r);
            assert_int_equal(at, t.offsets[v + 1]);
        }
        assert_int_equal(csr_transpose(&t, N_ROWS, &back, NULL), COLLIDE_OK);
        assert_memory_equal(back.offsets, c.offsets, (N_ROWS + 1) * sizeof *c.offsets);
        assert_memory_equal(back.values, c.values, c.offsets[N_ROWS] * sizeof *c.values);
        csr_free(&back);
        csr_free(&t);
        csr_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_have_no_duplicates),
        cmocka_unit_test(equal_values_of_neighbouring_rows_are_no_duplicates),
        cmocka_unit_test(no_pairs_make_empty_rows),
        cmocka_unit_test(random_pairs_match_a_bitmap),
        cmocka_unit_test(transposed_twice_is_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
