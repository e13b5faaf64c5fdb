#include "fake_transport.h"
#include "load.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t US = 1000, MS = 1000000, SECOND = 1000000000;

static struct load_stats *run_span(struct fake *f, const struct load_settings *settings,
                                   struct load_span span)
{
    static const struct message items[] = {{"a", 1}, {"b", 1}};
    struct load_messages messages = {.items = items, .n = 2, .expected_code = 200};
    struct load *load = NULL;
    struct load_stats *stats = calloc(1, sizeof *stats);
    assert_non_null(stats);
    assert_int_equal(load_create(settings, fake_transport(f), &load, NULL), COLLIDE_OK);
    load_run(load, &messages, span, stats);
    load_destroy(load);
    return stats;
}

static struct load_stats *run(struct fake *f, const struct load_settings *settings, uint64_t duration_ns)
{
    return run_span(f, settings, (struct load_span){.duration_ns = duration_ns});
}

static uint64_t count_from(const struct histogram *h, uint64_t value)
{
    struct histogram *below = calloc(1, sizeof *below);
    assert_non_null(below);
    histogram_record(below, value);
    uint64_t n = 0, bucket = 0;
    while (below->counts[bucket] == 0)
        bucket++;
    for (; bucket < HISTOGRAM_N_BUCKETS; bucket++)
        n += h->counts[bucket];
    free(below);
    return n;
}

/* 1,000 requests, one each millisecond; answers stall from 0.5 s to 0.6 s. The request due at 0.5 s + i ms
 * waits for 100 - i ms if a lane was free, and no less if none was: all that are due during the stall are
 * slow, not just the four that were sent. */
static void an_open_loop_charges_a_stall_to_all_requests_due_during_it(void **state)
{
    (void)state;
    struct fake f = fake_make(10 * US);
    fake_stall(&f, 500 * MS, 600 * MS);
    struct load_settings settings = {.mode = LOAD_OPEN, .rate = 1000, .overrun_ns = SECOND};
    struct load_stats *s = run(&f, &settings, SECOND);
    assert_int_equal(s->latency_ns.n, 1000);
    assert_int_equal(s->latency_ns.max, 100 * MS);
    assert_int_equal(count_from(&s->latency_ns, 900 * US), 100);
    assert_int_equal(s->latency_ns.min, 10 * US);
    /* Four lanes were free when it began; the next request, due at 504 ms, was sent when it ended. */
    assert_int_equal(s->late_ns.n, 1000);
    assert_int_equal(s->late_ns.max, 96 * MS);
    assert_int_equal(load_n_errors(s), 0);
    /* The mean: 900 fast ones and 1 to 100 ms, plus the draining of the backlog, 25 rounds of 10 us at most.
     */
    double least = (900 * 0.01 + 5050) / 1000, mean = histogram_mean(&s->latency_ns) / 1e6;
    assert_true(mean >= least - 0.001 && mean <= least + 0.1 * 0.25 + 0.001);
    free(s);
}

static void a_closed_loop_sees_the_stall_once_per_lane(void **state)
{
    (void)state;
    struct fake f = fake_make(1 * MS);
    fake_stall(&f, 500 * MS, 600 * MS);
    struct load_settings settings = {.mode = LOAD_CLOSED};
    struct load_stats *s = run(&f, &settings, SECOND);
    assert_int_equal(count_from(&s->latency_ns, 2 * MS), FAKE_N_LANES);
    /* 499 rounds before the stall, one that lasts through it, and 400 after. */
    assert_int_equal(s->latency_ns.n, 900 * FAKE_N_LANES);
    assert_int_equal(s->elapsed_ns, SECOND);
    free(s);
}

/* Four lanes of 10 ms answer 400 requests a second. Of 1,000 due in the second, those that find no lane until
 * half a second after its end are given up, and counted. */
static void what_cannot_be_sent_in_time_is_counted_as_unsent(void **state)
{
    (void)state;
    struct fake f = fake_make(10 * MS);
    struct load_settings settings = {.mode = LOAD_OPEN, .rate = 1000, .overrun_ns = SECOND / 2};
    struct load_stats *s = run(&f, &settings, SECOND);
    assert_int_equal(s->latency_ns.n + s->errors[LOAD_ERROR_UNSENT], 1000);
    assert_in_range(s->latency_ns.n, 600 - FAKE_N_LANES, 600 + 2 * FAKE_N_LANES);
    assert_int_equal(s->latency_ns.n, f.n_sent);
    free(s);
}

static void poisson_arrivals_offer_the_rate(void **state)
{
    (void)state;
    struct fake f = fake_make(1 * US);
    struct load_settings settings = {
        .mode = LOAD_OPEN, .arrivals = ARRIVALS_POISSON, .rate = 10000, .seed = 3, .overrun_ns = SECOND};
    struct load_stats *s = run(&f, &settings, SECOND);
    /* A Poisson count of mean 10,000 has standard deviation 100. */
    assert_in_range(s->latency_ns.n, 9500, 10500);
    free(s);
}

static void unexpected_answers_are_errors_and_not_samples(void **state)
{
    (void)state;
    struct fake f = fake_make(1 * MS);
    f.refuse_each = 10;
    struct load_settings settings = {.mode = LOAD_CLOSED};
    struct load_stats *s = run(&f, &settings, SECOND);
    assert_int_equal(f.n_sent, 4000);
    assert_int_equal(s->errors[LOAD_ERROR_CODE], 400);
    assert_int_equal(s->latency_ns.n, 3600);
    assert_int_equal(s->refused_ns.n, 400);
    assert_int_equal(s->refused_ns.max, 1 * MS);
    assert_int_equal(s->late_ns.n, 0);
    free(s);
}

static void failures_are_counted_by_kind(void **state)
{
    (void)state;
    const enum load_error errors[] = {[OUTCOME_CONNECTION] = LOAD_ERROR_CONNECTION,
                                      [OUTCOME_TIMEOUT] = LOAD_ERROR_TIMEOUT,
                                      [OUTCOME_MALFORMED] = LOAD_ERROR_MALFORMED,
                                      [OUTCOME_LOST] = LOAD_ERROR_LOST};
    for (int outcome = OUTCOME_CONNECTION; outcome <= OUTCOME_LOST; outcome++) {
        struct fake f = fake_make(1 * MS);
        f.outcome = (enum outcome)outcome;
        struct load_settings settings = {.mode = LOAD_OPEN, .rate = 100};
        struct load_stats *s = run(&f, &settings, SECOND);
        assert_int_equal(s->errors[errors[outcome]], 100);
        assert_int_equal(load_n_errors(s), 100);
        assert_int_equal(s->latency_ns.n, 0);
        free(s);
    }
}

static void a_span_of_queries_sends_just_so_many(void **state)
{
    (void)state;
    const struct load_settings settings[] = {
        {.mode = LOAD_CLOSED},
        {.mode = LOAD_OPEN, .arrivals = ARRIVALS_POISSON, .rate = 1000, .overrun_ns = SECOND}};
    for (int i = 0; i < 2; i++) {
        struct fake f = fake_make(1 * MS);
        struct load_stats *s = run_span(&f, &settings[i], (struct load_span){.n_queries = 777});
        assert_int_equal(f.n_sent, 777);
        assert_int_equal(s->latency_ns.n, 777);
        /* A closed loop takes 777 / 4 rounds; the sum of 777 gaps deviates by 28 ms from 777 ms. */
        double exact_ms = i == 0 ? 195 : 778, allowed_ms = i == 0 ? 0.001 : 5 * 28;
        assert_true(fabs((double)s->elapsed_ns * 1e-6 - exact_ms) <= allowed_ms);
        free(s);
    }
}

static void a_span_of_both_lasts_until_both_have_passed(void **state)
{
    (void)state;
    const struct load_settings settings = {.mode = LOAD_CLOSED};
    struct fake f = fake_make(1 * MS);
    struct load_stats *s = run_span(&f, &settings, (struct load_span){SECOND, 10});
    assert_int_equal(s->latency_ns.n, 1000 * FAKE_N_LANES);
    free(s);
    f = fake_make(1 * MS);
    s = run_span(&f, &settings, (struct load_span){10 * MS, 1000});
    assert_int_equal(s->latency_ns.n, 1000);
    free(s);
}

static void an_overloaded_span_of_queries_still_ends(void **state)
{
    (void)state;
    struct fake f = fake_make(10 * MS);
    struct load_settings settings = {.mode = LOAD_OPEN, .rate = 1000, .overrun_ns = SECOND / 2};
    struct load_stats *s = run_span(&f, &settings, (struct load_span){.n_queries = 1000});
    assert_int_equal(s->latency_ns.n + s->errors[LOAD_ERROR_UNSENT], 1000);
    assert_in_range(s->latency_ns.n, 600 - FAKE_N_LANES, 600 + 2 * FAKE_N_LANES);
    free(s);
}

static void stages_are_kept_of_answers_that_tell(void **state)
{
    (void)state;
    struct fake f = fake_make(1 * MS);
    const struct load_settings settings = {.mode = LOAD_CLOSED};
    struct load_stats *s = run_span(&f, &settings, (struct load_span){.n_queries = 8});
    assert_int_equal(s->stages[STAGE_WAIT_NS].n, 0);
    free(s);
    const uint32_t stages[N_STAGES] = {
        [STAGE_WAIT_NS] = 100, [STAGE_READ_NS] = 20, [STAGE_SCORE_NS] = 77, [STAGE_TOGETHER] = 3};
    memcpy(f.stages, stages, sizeof stages);
    s = run_span(&f, &settings, (struct load_span){.n_queries = 8});
    for (int stage = 0; stage < N_STAGES; stage++) {
        assert_int_equal(s->stages[stage].n, 8);
        assert_int_equal(s->stages[stage].max, stages[stage]);
    }
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_loop_charges_a_stall_to_all_requests_due_during_it),
        cmocka_unit_test(a_closed_loop_sees_the_stall_once_per_lane),
        cmocka_unit_test(what_cannot_be_sent_in_time_is_counted_as_unsent),
        cmocka_unit_test(poisson_arrivals_offer_the_rate),
        cmocka_unit_test(unexpected_answers_are_errors_and_not_samples),
        cmocka_unit_test(failures_are_counted_by_kind),
        cmocka_unit_test(a_span_of_queries_sends_just_so_many),
        cmocka_unit_test(a_span_of_both_lasts_until_both_have_passed),
        cmocka_unit_test(an_overloaded_span_of_queries_still_ends),
        cmocka_unit_test(stages_are_kept_of_answers_that_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
