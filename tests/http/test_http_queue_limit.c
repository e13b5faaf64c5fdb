#include "http/handling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MAX_US = 1000, MAX_NS = MAX_US * 1000, FRONT_NS = QUEUE_FRONT_NS, BEGIN_NS = 5000 };

/* A turn that took so long, in which the second request had waited for wait_ns; whether that was refused. */
static bool turn(struct queue_limit *q, uint64_t wait_ns, uint64_t turn_ns)
{
    assert_false(queue_limit_refuses(q, BEGIN_NS));
    bool refuses = queue_limit_refuses(q, BEGIN_NS + wait_ns);
    queue_limit_turn(q, turn_ns);
    return refuses;
}

/* Refused in each of n turns as long as the limit. */
static void stand(struct queue_limit *q, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_true(turn(q, MAX_NS + 1, MAX_NS));
}

static void a_request_waits_for_those_before_it(void **state)
{
    struct queue_limit q = queue_limit_of(MAX_NS);
    (void)state;
    assert_false(turn(&q, 0, 10 * MAX_NS));
    assert_false(turn(&q, MAX_NS, 10 * MAX_NS));
    assert_true(turn(&q, MAX_NS + 1, 10 * MAX_NS));
    assert_false(turn(&q, MAX_NS, 10 * MAX_NS));
}

static void a_burst_is_waited_out(void **state)
{
    struct queue_limit q = queue_limit_of(MAX_NS);
    (void)state;
    for (int i = 0; i < 10; i++) {
        stand(&q, QUEUE_TRIAL - 1);
        assert_int_equal(q.limit_ns, MAX_NS);
        queue_limit_turn(&q, MAX_NS);
    }
}

static void one_long_turn_is_no_queue(void **state)
{
    struct queue_limit q = queue_limit_of(MAX_NS);
    (void)state;
    assert_true(turn(&q, MAX_NS + 1, 100 * MAX_NS));
    assert_int_equal(q.limit_ns, MAX_NS);
}

static void a_queue_that_stands_is_not_waited_out(void **state)
{
    struct queue_limit q = queue_limit_of(MAX_NS);
    (void)state;
    stand(&q, QUEUE_TRIAL);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(q.limit_ns, FRONT_NS);
        assert_true(turn(&q, FRONT_NS + 1, 2 * FRONT_NS));
    }
    for (int i = 1; i < MAX_NS / FRONT_NS; i++) {
        assert_false(turn(&q, FRONT_NS, FRONT_NS));
        assert_int_equal(q.limit_ns, FRONT_NS);
    }
    assert_false(turn(&q, FRONT_NS, FRONT_NS)); /* it has caught up */
    assert_int_equal(q.limit_ns, MAX_NS);
    assert_false(turn(&q, MAX_NS, FRONT_NS));
    stand(&q, QUEUE_TRIAL - 1);
    assert_int_equal(q.limit_ns, MAX_NS);
}

static void long_waits_within_the_limit_are_no_queue(void **state)
{
    struct queue_limit q = queue_limit_of(MAX_NS);
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_false(turn(&q, MAX_NS, MAX_NS));
    assert_int_equal(q.limit_ns, MAX_NS);
}

static void a_short_limit_is_kept(void **state)
{
    struct queue_limit q = queue_limit_of(FRONT_NS / 2);
    (void)state;
    stand(&q, QUEUE_TRIAL);
    assert_int_equal(q.limit_ns, FRONT_NS / 2);
}

static void a_thread_tells_of_its_turns(void **state)
{
    const struct http_options options = {.max_queue_us = MAX_US};
    struct http_handling h;
    (void)state;
    http_handling_init(&h, &(struct http_context){0}, &options, &(struct http_door){0});
    for (int i = 0; i < QUEUE_TRIAL; i++) {
        assert_int_equal(h.queue_limit.limit_ns, MAX_NS);
        h.queue_limit.has_refused = true;
        h.turn_ns -= MAX_NS;
        http_handling_begin_turn(&h);
    }
    assert_int_equal(h.queue_limit.limit_ns, FRONT_NS);
    h.turn_ns -= MAX_NS;
    http_handling_begin_turn(&h);
    assert_int_equal(h.queue_limit.limit_ns, MAX_NS);
    http_handling_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_waits_for_those_before_it),
        cmocka_unit_test(a_burst_is_waited_out),
        cmocka_unit_test(one_long_turn_is_no_queue),
        cmocka_unit_test(a_queue_that_stands_is_not_waited_out),
        cmocka_unit_test(long_waits_within_the_limit_are_no_queue),
        cmocka_unit_test(a_short_limit_is_kept),
        cmocka_unit_test(a_thread_tells_of_its_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
