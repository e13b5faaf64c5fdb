#include "base/half.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static void every_half_comes_back_as_itself(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 65536; half++) {
        uint16_t back = half_from_float(half_to_float((uint16_t)half));
        bool is_nan = (half & 0x7fffu) > 0x7c00u;
        assert_true(is_nan ? (back & 0x7fffu) > 0x7c00u : back == half);
    }
}

/* Between neighbours a and b: below the middle to a, above it to b, on it to the even one. */
static void halves_round_to_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x7bffu; half++) {
        float a = half_to_float((uint16_t)half), b = half_to_float((uint16_t)(half + 1)),
              middle = 0.5f * (a + b);
        uint32_t even = half + (half & 1);
        assert_int_equal(half_from_float(middle), even);
        assert_int_equal(half_from_float(-middle), even | 0x8000u);
        assert_int_equal(half_from_float(nextafterf(middle, a)), half);
        assert_int_equal(half_from_float(nextafterf(middle, b)), half + 1);
    }
    assert_int_equal(half_from_float(65519.0f), 0x7bffu);
    assert_int_equal(half_from_float(65520.0f), 0x7c00u);
    assert_int_equal(half_from_float(-INFINITY), 0xfc00u);
    assert_int_equal(half_from_float(0x1p-26f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_comes_back_as_itself),
        cmocka_unit_test(halves_round_to_nearest_and_ties_to_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
