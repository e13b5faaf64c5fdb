/* The stages of a burst out of two looks at the clock and the ticks between them. */
#include "serve/burst_times.h"

#include "base/ticks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

enum { MS = 1000000 };

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * MS}, NULL);
}

static uint64_t sum(const struct request_times *t)
{
    uint64_t ns = 0;
    for (enum stage s = 0; s < N_STAGES; s++)
        ns += t->ns[s];
    return ns;
}

static bool is_about(uint64_t ns, uint64_t wanted_ns)
{
    return ns > wanted_ns - MS / 2 && ns < wanted_ns + MS / 2;
}

/* Whether a burst of 2, 8 and 4 ms is seen to be one. */
static bool stages_are_told(void)
{
    struct burst_times b;
    burst_times_begin(&b);
    sleep_ms(2);
    b.parsed = ticks_now();
    sleep_ms(8);
    b.scored = ticks_now();
    sleep_ms(4);
    struct request_times t = burst_times_until_now(&b);
    assert_int_equal(t.begin_ns, b.begin_ns);
    assert_int_equal(sum(&t), request_times_total(&t));
    return is_about(t.ns[STAGE_PARSE], 2 * MS) && is_about(t.ns[STAGE_KERNEL], 8 * MS) &&
           is_about(t.ns[STAGE_PRINT], 4 * MS);
}

/* On a busy machine a sleep may take longer, or the thread may stop between two looks: not always. */
static void stages_are_as_long_as_they_were(void **state)
{
    (void)state;
    unsigned n_tries = 0;
    while (!stages_are_told())
        assert_true(++n_tries < 100);
}

/* As when the thread has been moved to a CPU whose counter is behind. */
static void ticks_of_two_counters_divide_nothing(void **state)
{
    (void)state;
    struct burst_times b;
    burst_times_begin(&b);
    const uint64_t behind = b.begin - 1000, ahead = b.begin + ((uint64_t)1 << 62);
    const uint64_t wrong[][2] = {{behind, b.begin}, {b.begin, behind}, {ahead, ahead}, {b.begin, ahead}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        b.parsed = wrong[i][0];
        b.scored = wrong[i][1];
        struct request_times t = burst_times_until_now(&b);
        assert_int_equal(t.ns[STAGE_KERNEL], request_times_total(&t));
        assert_int_equal(sum(&t), request_times_total(&t));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_are_as_long_as_they_were),
        cmocka_unit_test(ticks_of_two_counters_divide_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
