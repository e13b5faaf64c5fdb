#include "base/arena.h"
#include "base/rng.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    enum { N = 500 };
    struct arena arena = {0};
    struct rng rng = rng_seeded(1, 1);
    unsigned char *pieces[N];
    size_t sizes[N];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < N; i++) {
            sizes[i] = rng_below(&rng, 9) ? rng_below(&rng, 300) : rng_below(&rng, 40000);
            pieces[i] = arena_alloc(&arena, sizes[i], 1);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
            for (size_t j = 0; j < sizes[i]; j++)
                assert_int_equal(pieces[i][j], 0);
            memset(pieces[i], (int)(i % 251 + 1), sizes[i]);
        }
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < sizes[i]; j++)
                assert_int_equal(pieces[i][j], i % 251 + 1);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_null(arena_alloc(&arena, SIZE_MAX, 2));
    assert_null(arena_alloc(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&arena, SIZE_MAX, 1));
    assert_null(arena_alloc(&arena, 1, SIZE_MAX - 7));
    assert_non_null(arena_alloc(&arena, 1, 1));
    arena_free(&arena);
}

static void growing_keeps_what_was_there(void **state)
{
    (void)state;
    struct arena arena = {0};
    uint32_t *numbers = NULL;
    size_t capacity = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        if (i == capacity) {
            capacity = capacity ? 2 * capacity : 1;
            numbers = arena_grow(&arena, numbers, i, capacity, sizeof *numbers);
            assert_non_null(numbers);
        }
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(numbers[i], i);
    arena_free(&arena);
}

/* Doubling leaves nothing behind, neither in the block that others are in nor beyond it. */
static void the_latest_piece_grows_where_it_is(void **state)
{
    (void)state;
    enum { MANY = 1 << 20 };
    struct arena arena = {0};
    size_t before = allocated_bytes();
    char *first = arena_alloc(&arena, 100, 1);
    uint64_t *numbers = arena_grow(&arena, NULL, 0, 16, sizeof *numbers), *begin = numbers;
    for (uint64_t n = 16, filled = 0; n < MANY; n *= 2) {
        for (; filled < n; filled++)
            numbers[filled] = filled;
        numbers = arena_grow(&arena, numbers, n, 2 * n, sizeof *numbers);
        assert_non_null(numbers);
        if (2 * n * sizeof *numbers < 8192)
            assert_ptr_equal(numbers, begin);
    }
    assert_in_range(allocated_bytes() - before, 0, MANY * sizeof *numbers + 65536);
    for (uint64_t i = 0; i < MANY / 2; i++)
        assert_int_equal(numbers[i], i);
    memset(first, 1, 100);
    arena_free(&arena);
}

static void pieces_of_nothing_do_not_grow_into_others(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *nothing = arena_alloc(&arena, 0, 8), *other = arena_alloc(&arena, 16, 1);
    char *grown = arena_grow(&arena, nothing, 0, 16, 1);
    assert_non_null(grown);
    memset(grown, 1, 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(other[i], 0);
    arena_free(&arena);
}

static void a_warm_arena_allocates_nothing(void **state)
{
    (void)state;
    struct arena arena = {0};
    size_t warm = 0;
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < 50; i++)
            assert_non_null(arena_alloc(&arena, 100 * i, sizeof(float)));
        if (round == 2)
            warm = allocated_bytes();
        if (round >= 2)
            assert_int_equal(allocated_bytes(), warm);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

/* Each round asks for a little more than all before, or in another order: nothing of it may pile up. */
static void rounds_of_any_sizes_leave_no_trail(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct rng rng = rng_seeded(2, 1);
    size_t before = allocated_bytes();
    for (size_t round = 1; round < 4000; round++) {
        assert_non_null(arena_alloc(&arena, round * 64, 1));
        assert_non_null(arena_alloc(&arena, rng_below(&rng, 200000), 1));
        arena_reset(&arena);
        assert_in_range(allocated_bytes() - before, 0, ARENA_KEEP_BYTES + 65536);
    }
    arena_free(&arena);
    assert_int_equal(allocated_bytes(), before);
}

static void what_one_huge_round_took_is_given_back(void **state)
{
    (void)state;
    struct arena arena = {0};
    size_t before = allocated_bytes();
    assert_non_null(arena_alloc(&arena, 64 << 20, 1));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 1, 1));
    assert_in_range(allocated_bytes() - before, 0, ARENA_KEEP_BYTES + 65536);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(growing_keeps_what_was_there),
        cmocka_unit_test(the_latest_piece_grows_where_it_is),
        cmocka_unit_test(pieces_of_nothing_do_not_grow_into_others),
        cmocka_unit_test(a_warm_arena_allocates_nothing),
        cmocka_unit_test(rounds_of_any_sizes_leave_no_trail),
        cmocka_unit_test(what_one_huge_round_took_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
