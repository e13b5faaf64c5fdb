#include "base/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void larger_counts_come_first_and_equals_by_index(void **state)
{
    (void)state;
    const uint64_t counts[] = {3, UINT64_C(1) << 40, 0, 3, 5, 0};
    const uint32_t wanted[] = {1, 4, 0, 3, 2, 5};
    uint32_t order[6];
    assert_int_equal(order_by_count(counts, 6, order, NULL), COLLIDE_OK);
    assert_memory_equal(order, wanted, sizeof order);
    assert_int_equal(order_by_count(counts, 0, order, NULL), COLLIDE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(larger_counts_come_first_and_equals_by_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
