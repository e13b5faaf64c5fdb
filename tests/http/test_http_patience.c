#include "http/patience.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MAX_NS = 1000000, PART_NS = MAX_NS / PATIENCE_PART, TRIAL_NS = MAX_NS * PATIENCE_TRIAL };

/* Turns as long as each other, from *now_ns on, for so long. */
static void turns(struct patience *p, uint64_t busy_ns, uint64_t for_ns, uint64_t *now_ns)
{
    for (uint64_t end_ns = *now_ns + for_ns; *now_ns < end_ns;) {
        *now_ns += busy_ns;
        patience_turn(p, busy_ns, *now_ns);
    }
}

static void a_burst_is_waited_out(void **state)
{
    uint64_t now_ns = 5000;
    struct patience p = patience_of(MAX_NS, now_ns);
    (void)state;
    assert_int_equal(p.limit_ns, MAX_NS);
    turns(&p, MAX_NS, TRIAL_NS - MAX_NS, &now_ns);
    assert_int_equal(p.limit_ns, MAX_NS);
}

static void a_queue_that_stands_is_not(void **state)
{
    uint64_t now_ns = 5000;
    struct patience p = patience_of(MAX_NS, now_ns);
    (void)state;
    turns(&p, PART_NS + 1, TRIAL_NS, &now_ns);
    assert_int_equal(p.limit_ns, PART_NS);
    turns(&p, PART_NS + 1, 100 * TRIAL_NS, &now_ns);
    assert_int_equal(p.limit_ns, PART_NS);
}

static void one_short_turn_ends_it(void **state)
{
    static const uint64_t short_ns[] = {0, 1, PART_NS};
    (void)state;
    for (size_t i = 0; i < sizeof short_ns / sizeof *short_ns; i++) {
        uint64_t now_ns = 5000;
        struct patience p = patience_of(MAX_NS, now_ns);
        turns(&p, MAX_NS, 2 * TRIAL_NS, &now_ns);
        assert_int_equal(p.limit_ns, PART_NS);
        patience_turn(&p, short_ns[i], now_ns += 50);
        assert_int_equal(p.limit_ns, MAX_NS);
        turns(&p, MAX_NS, TRIAL_NS - MAX_NS, &now_ns);
        assert_int_equal(p.limit_ns, MAX_NS);
    }
}

/* Else none would be answered: looking for what has come takes a while, too. */
static void little_patience_is_not_divided(void **state)
{
    static const uint64_t max_ns[] = {0, 1, PATIENCE_LEAST_NS, 2 * PATIENCE_LEAST_NS};
    (void)state;
    for (size_t i = 0; i < sizeof max_ns / sizeof *max_ns; i++) {
        uint64_t now_ns = 5000;
        struct patience p = patience_of(max_ns[i], now_ns);
        turns(&p, MAX_NS, 2 * TRIAL_NS, &now_ns);
        assert_int_equal(p.limit_ns, max_ns[i] < PATIENCE_LEAST_NS ? max_ns[i] : PATIENCE_LEAST_NS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_waited_out),
        cmocka_unit_test(a_queue_that_stands_is_not),
        cmocka_unit_test(one_short_turn_ends_it),
        cmocka_unit_test(little_patience_is_not_divided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
