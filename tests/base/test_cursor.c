#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void numbers_are_little_endian(void **state)
{
    (void)state;
    struct cursor c = cursor_over(bytes, sizeof bytes);
    assert_int_equal(cursor_u32(&c), 0x04030201);
    assert_true(cursor_u64(&c) == 0x0c0b0a0908070605u);
    assert_int_equal(cursor_left(&c), 0);
    assert_false(c.failed);
}

static void taken_bytes_are_borrowed_from_the_memory(void **state)
{
    (void)state;
    struct cursor c = cursor_over(bytes, sizeof bytes);
    assert_ptr_equal(cursor_take(&c, 5), bytes);
    assert_ptr_equal(cursor_take(&c, 0), bytes + 5);
    assert_ptr_equal(cursor_take(&c, 7), bytes + 5);
    assert_false(c.failed);
}

static void reading_past_the_end_fails_for_good(void **state)
{
    (void)state;
    struct cursor c = cursor_over(bytes, 3);
    assert_int_equal(cursor_u32(&c), 0);
    assert_true(c.failed);
    assert_int_equal(cursor_left(&c), 3);
    assert_null(cursor_take(&c, 1));
    assert_int_equal(cursor_le(&c, 1), 0);
}

static void huge_lengths_do_not_wrap_around(void **state)
{
    (void)state;
    struct cursor c = cursor_over(bytes, sizeof bytes);
    cursor_take(&c, 4);
    assert_null(cursor_take(&c, UINT64_MAX));
    assert_true(c.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(taken_bytes_are_borrowed_from_the_memory),
        cmocka_unit_test(reading_past_the_end_fails_for_good),
        cmocka_unit_test(huge_lengths_do_not_wrap_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
