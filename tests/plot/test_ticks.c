#include "plot/ticks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The marks of an axis as one text. */
static const char *ticks_of(struct axis a, unsigned n_wanted)
{
    static char all[512];
    double ticks[TICKS_MAX];
    axis_round(&a);
    size_t n = axis_ticks(&a, n_wanted, ticks), at = 0;
    all[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        char text[32];
        tick_text(a.unit, ticks[i], text, sizeof text);
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", text);
    }
    return all;
}

static void ticks_are_at_round_numbers(void **state)
{
    (void)state;
    assert_string_equal(ticks_of((struct axis){"", SCALE_LINEAR, UNIT_PER_S, 0, 87000}, 5),
                        "0, 20k, 40k, 60k, 80k, 100k");
    assert_string_equal(
        ticks_of((struct axis){"", SCALE_LOG, UNIT_US, 7.3, 150}, 8),
        "5 \xc2\xb5s, 10 \xc2\xb5s, 20 \xc2\xb5s, 50 \xc2\xb5s, 100 \xc2\xb5s, 200 \xc2\xb5s");
    assert_string_equal(ticks_of((struct axis){"", SCALE_LOG, UNIT_US, 0.5, 90000}, 8),
                        "1 \xc2\xb5s, 10 \xc2\xb5s, 100 \xc2\xb5s, 1 ms, 10 ms, 100 ms");
    assert_string_equal(ticks_of((struct axis){"", SCALE_TAIL, UNIT_PERCENTILE, 1, 9000}, 8),
                        "50%, 90%, 99%, 99.9%, 99.99%");
    assert_string_equal(ticks_of((struct axis){"", SCALE_LOG, UNIT_BYTES, 700, 30e6}, 8),
                        "1 kB, 10 kB, 100 kB, 1 MB, 10 MB");
    assert_string_equal(ticks_of((struct axis){"", SCALE_LOG, UNIT_BYTES, 180, 3000}, 8),
                        "100 B, 200 B, 500 B, 1 kB, 2 kB, 5 kB");
    assert_string_equal(ticks_of((struct axis){"", SCALE_LINEAR, UNIT_PERCENT, 0, 14.4}, 5),
                        "0%, 5%, 10%, 15%");
}

static void rounding_widens_an_axis(void **state)
{
    (void)state;
    const double ranges[][2] = {{0.013, 0.9}, {1, 1}, {3, 7000}, {999, 1001}, {1e-3, 1e6}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct axis a = {"", SCALE_LOG, UNIT_US, ranges[i][0], ranges[i][1]};
        axis_round(&a);
        assert_true(a.low <= ranges[i][0] * (1 + 1e-9) && a.high >= ranges[i][1] * (1 - 1e-9));
        assert_true(a.low < a.high);
        assert_true(fabs(axis_place(&a, a.low)) < 1e-9 && fabs(axis_place(&a, a.high) - 1) < 1e-9);
    }
}

static void no_axis_has_more_ticks_than_there_is_room_for(void **state)
{
    (void)state;
    double ticks[TICKS_MAX];
    const struct axis a = {"", SCALE_LOG, UNIT_US, 1e-9, 1e30};
    assert_true(axis_ticks(&a, 100, ticks) <= TICKS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_at_round_numbers),
        cmocka_unit_test(rounding_widens_an_axis),
        cmocka_unit_test(no_axis_has_more_ticks_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
