/* The text format, byte for byte; and all that an observer has to say, by a strict reader. */
#include "observe/metrics.h"

#include "metrics_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(struct buffer *out, const char *wanted)
{
    assert_false(out->failed);
    if (out->n_bytes != strlen(wanted) || memcmp(out->bytes, wanted, out->n_bytes) != 0)
        fail_msg("printed: %.*s instead of: %s", (int)out->n_bytes, out->bytes, wanted);
    buffer_free(out);
}

static void a_family_has_help_type_and_samples(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct prometheus p = {.out = &out};
    prometheus_begin(&p, "a_total", "counter", "What it is.");
    prometheus_count(&p, PROMETHEUS_NO_LABELS, UINT64_MAX);
    prometheus_count(&p, PROMETHEUS_LABELS({"x", "1"}, {"y", "2"}), 0);
    prometheus_begin(&p, "b", "gauge", "Else.");
    prometheus_value(&p, PROMETHEUS_NO_LABELS, 0.25);
    assert_text(&out, "# HELP a_total What it is.\n# TYPE a_total counter\na_total 18446744073709551615\n"
                      "a_total{x=\"1\",y=\"2\"} 0\n# HELP b Else.\n# TYPE b gauge\nb 0.25\n");
}

static void texts_are_escaped(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct prometheus p = {.out = &out};
    prometheus_begin(&p, "a", "gauge", "a \"b\" \\ and\nmore");
    prometheus_count(&p, PROMETHEUS_LABELS({"x", "\"\\\n"}, {"y", ""}), 1);
    check_metrics(out.bytes, out.n_bytes);
    assert_text(&out, "# HELP a a \"b\" \\\\ and\\nmore\n# TYPE a gauge\na{x=\"\\\"\\\\\\n\",y=\"\"} 1\n");
}

static void durations_are_cumulative_seconds(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct prometheus p = {.out = &out};
    struct durations d = {0};
    durations_add(&d, 1000, 2);
    durations_add(&d, 1001, 1);
    durations_add(&d, UINT64_C(60000000000), 1);
    prometheus_begin(&p, "d_seconds", "histogram", "Durations.");
    prometheus_durations(&p, PROMETHEUS_LABELS({"x", "1"}), &d);
    check_metrics(out.bytes, out.n_bytes);
    assert_true(metric(out.bytes, out.n_bytes, "d_seconds_bucket{x=\"1\",le=\"0.000001\"}") == 2);
    assert_true(metric(out.bytes, out.n_bytes, "d_seconds_bucket{x=\"1\",le=\"0.000002\"}") == 3);
    assert_true(metric(out.bytes, out.n_bytes, "d_seconds_bucket{x=\"1\",le=\"16.777216\"}") == 3);
    assert_true(metric(out.bytes, out.n_bytes, "d_seconds_bucket{x=\"1\",le=\"+Inf\"}") == 4);
    assert_true(metric(out.bytes, out.n_bytes, "d_seconds_sum{x=\"1\"}") == 60.000003001);
    assert_true(metric(out.bytes, out.n_bytes, "d_seconds_count{x=\"1\"}") == 4);
    buffer_free(&out);
}

static void answer(struct observer *o, unsigned worker, const struct request_times *times, enum work work,
                   struct observed_answer a)
{
    struct observed_request *current = observer_current(o, worker);
    current->times = *times;
    current->work = work;
    assert_false(observe_answer(o, worker, &a));
}

static void what_was_observed_reads_as_it_was(void **state)
{
    (void)state;
    static const char *const names[] = {"/v1/score", "/v2/models/{model}/infer"};
    const struct route_names routes = {names, 2};
    struct observer *o = NULL;
    struct buffer out = {0};
    struct prometheus p = {.out = &out};
    const struct request_times times = {.begin_ns = 1, .at_ns = 30001, .ns = {[STAGE_KERNEL] = 9000}};
    const struct observer_options options = {.n_workers = 3};
    assert_int_equal(observer_create(&options, &o, NULL), COLLIDE_OK);
    observer_give_workers(o, 2, 1, TRANSPORT_SHM);
    answer(o, 0, &times, WORK_SCORE, (struct observed_answer){0, 200, 40, 60});
    answer(o, 1, &times, WORK_SCORE, (struct observed_answer){0, 200, 40, 60});
    answer(o, 1, &times, WORK_OTHER, (struct observed_answer){1, 503, 0, 9});
    answer(o, 1, &times, WORK_OTHER, (struct observed_answer){2, 299, 0, 9});
    answer(o, 1, &times, WORK_OTHER, (struct observed_answer){1000, 299, 0, 9});
    observe_burst(o, 2, &times, (uint64_t[N_WORKS]){[WORK_SCORE] = 5, [WORK_TOPK] = 1});
    metrics_print_observed(&p, o, &routes);
    metrics_print_process(&p, o);
    check_metrics(out.bytes, out.n_bytes);
    static const struct {
        const char *series;
        double value;
    } wanted[] = {
        {"collide_http_requests_total{route=\"/v1/score\",status=\"200\"}", 2},
        {"collide_http_requests_total{route=\"/v2/models/{model}/infer\",status=\"503\"}", 1},
        {"collide_http_requests_total{route=\"other\",status=\"other\"}", 2},
        {"collide_http_request_bytes_total", 80},
        {"collide_http_response_bytes_total", 147},
        {"collide_request_duration_seconds_count{transport=\"http\",operation=\"score\"}", 2},
        {"collide_request_duration_seconds_sum{transport=\"http\",operation=\"score\"}", 6e-05},
        {"collide_request_duration_seconds_count{transport=\"http\",operation=\"other\"}", 3},
        {"collide_request_duration_seconds_count{transport=\"shm\",operation=\"score\"}", 5},
        {"collide_stage_duration_seconds_sum{transport=\"shm\",operation=\"topk\",stage=\"kernel\"}", 9e-06},

    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_true(metric(out.bytes, out.n_bytes, wanted[i].series) == wanted[i].value);
    assert_true(metric(out.bytes, out.n_bytes, "process_resident_memory_bytes") > 100000);
    assert_true(metric(out.bytes, out.n_bytes, "process_open_fds") >= 3);
    assert_true(metric(out.bytes, out.n_bytes, "process_start_time_seconds") > 1.7e9);
    buffer_free(&out);
    observer_destroy(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_has_help_type_and_samples),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(durations_are_cumulative_seconds),
        cmocka_unit_test(what_was_observed_reads_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
