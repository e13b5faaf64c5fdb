#include "fake_transport.h"
#include "figures.h"
#include "mlperf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t US = 1000, MS = 1000000, SECOND = 1000000000;

static struct load_stats *stats;

static int make_stats(void **state)
{
    (void)state;
    stats = calloc(1, sizeof *stats);
    return stats ? 0 : -1;
}

static int free_stats(void **state)
{
    (void)state;
    free(stats);
    return 0;
}

static struct mlperf_result run(struct fake *f, const struct mlperf_settings *settings)
{
    static const struct message items[] = {{"a", 1}};
    struct load_messages messages = {.items = items, .n = 1, .expected_code = 200};
    struct mlperf_result result;
    assert_int_equal(mlperf_run(settings, fake_transport(f), &messages, &result, stats, NULL), COLLIDE_OK);
    return result;
}

static void single_stream_has_one_request_in_flight_and_gives_its_p90(void **state)
{
    (void)state;
    struct fake f = fake_make(100 * US);
    const struct mlperf_settings settings = {.scenario = MLPERF_SINGLE_STREAM,
                                             .span = mlperf_rules_span(MLPERF_SINGLE_STREAM)};
    struct mlperf_result r = run(&f, &settings);
    assert_true(r.is_valid);
    assert_string_equal(r.unit, "us, p90");
    assert_int_equal(f.n_sent, 60 * SECOND / (100 * US));
    /* A histogram's step is 1/128. */
    assert_true(r.value >= 100 && r.value <= 100 * (1 + 1.0 / 128));
}

static void single_stream_goes_on_until_its_queries_are_answered(void **state)
{
    (void)state;
    struct fake f = fake_make(100 * MS);
    const struct mlperf_settings settings = {.scenario = MLPERF_SINGLE_STREAM,
                                             .span = mlperf_rules_span(MLPERF_SINGLE_STREAM)};
    assert_true(run(&f, &settings).is_valid);
    assert_int_equal(f.n_sent, 1024);
}

static void offline_is_the_throughput_of_all_lanes(void **state)
{
    (void)state;
    struct fake f = fake_make(1 * MS);
    const struct mlperf_settings settings = {.scenario = MLPERF_OFFLINE,
                                             .span = {.duration_ns = SECOND, .n_queries = 100}};
    struct mlperf_result r = run(&f, &settings);
    assert_true(r.is_valid);
    assert_true(fabs(r.value - 1000 * FAKE_N_LANES) < 1);
}

static void an_error_makes_a_run_invalid(void **state)
{
    (void)state;
    struct fake f = fake_make(1 * MS);
    f.refuse_each = 500;
    const struct mlperf_settings settings = {.scenario = MLPERF_OFFLINE, .span = {.n_queries = 1000}};
    assert_false(run(&f, &settings).is_valid);
}

/* The p99 of the time in an M/D/1 queue that begins empty, by Lindley's recursion (1952). */
static double queue_p99_ns(double rate, double service_ns)
{
    enum { N_CUSTOMERS = 400000 };
    struct histogram *h = calloc(1, sizeof *h);
    struct rng rng = rng_seeded(99, 7);
    double wait_ns = 0;
    assert_non_null(h);
    for (int i = 0; i < N_CUSTOMERS; i++) {
        histogram_record(h, (uint64_t)(wait_ns + service_ns));
        wait_ns = fmax(0, wait_ns + service_ns + log(1 - rng_double(&rng)) * 1e9 / rate);
    }
    double p99_ns = (double)histogram_quantile(h, 0.99);
    free(h);
    return p99_ns;
}

/* One server behind all lanes is such a queue: what is due and finds no lane waits all the same. The search
 * stops within 2% of the highest rate that passes a trial of 2,000 requests, of which 20 are beyond the p99:
 * it is off by a quarter of itself at most (five deviations of one in sqrt(20)). */
static void server_finds_the_highest_rate_that_keeps_the_limit(void **state)
{
    (void)state;
    struct fake f = fake_make(100 * US);
    f.per_request_ns = 100 * US;
    const struct mlperf_settings settings = {.scenario = MLPERF_SERVER,
                                             .span = {.duration_ns = 30 * SECOND, .n_queries = 10000},
                                             .limit_ns = 500 * US,
                                             .seed = 5,
                                             .overrun_ns = SECOND};
    struct mlperf_result r = run(&f, &settings);
    assert_true(r.is_valid);
    assert_true(histogram_quantile(&stats->latency_ns, 0.99) <= settings.limit_ns);
    assert_true(queue_p99_ns(r.value * 0.97, 100e3) <= 500e3);
    assert_true(queue_p99_ns(r.value * 1.25, 100e3) > 500e3);
    assert_true(fabs(figure_rate(stats) / r.value - 1) < 0.02);
}

static void server_is_invalid_where_no_rate_keeps_the_limit(void **state)
{
    (void)state;
    struct fake f = fake_make(1 * MS);
    const struct mlperf_settings settings = {.scenario = MLPERF_SERVER,
                                             .span = {.n_queries = 2000},
                                             .limit_ns = 500 * US,
                                             .seed = 5,
                                             .overrun_ns = SECOND};
    struct mlperf_result r = run(&f, &settings);
    assert_false(r.is_valid);
    assert_true(r.value == 0);
}

static void the_rules_ask_for_a_minute_and_a_number_of_queries(void **state)
{
    (void)state;
    assert_int_equal(mlperf_rules_span(MLPERF_SINGLE_STREAM).n_queries, 1024);
    assert_int_equal(mlperf_rules_span(MLPERF_SERVER).n_queries, 270336);
    assert_int_equal(mlperf_rules_span(MLPERF_OFFLINE).n_queries, 24576);
    assert_int_equal(mlperf_rules_span(MLPERF_SERVER).duration_ns, 60 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(single_stream_has_one_request_in_flight_and_gives_its_p90, make_stats,
                                        free_stats),
        cmocka_unit_test_setup_teardown(single_stream_goes_on_until_its_queries_are_answered, make_stats,
                                        free_stats),
        cmocka_unit_test_setup_teardown(offline_is_the_throughput_of_all_lanes, make_stats, free_stats),
        cmocka_unit_test_setup_teardown(an_error_makes_a_run_invalid, make_stats, free_stats),
        cmocka_unit_test_setup_teardown(server_finds_the_highest_rate_that_keeps_the_limit, make_stats,
                                        free_stats),
        cmocka_unit_test_setup_teardown(server_is_invalid_where_no_rate_keeps_the_limit, make_stats,
                                        free_stats),
        cmocka_unit_test(the_rules_ask_for_a_minute_and_a_number_of_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
