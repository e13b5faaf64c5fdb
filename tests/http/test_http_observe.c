/* What the server tells of what it has answered. */
#include "http/http_fixture.h"
#include "observe/metrics_check.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char score[] = "{\"user\": 1, \"items\": [1, 2, 3, 99999]}";

static void ask_well(const struct test_server *s, const char *path, const char *type, struct response_text *r)
{
    ask_once(s, "GET", path, NULL, r);
    assert_int_equal(r->status, 200);
    assert_string_equal(header_of(r, "Content-Type"), type);
}

static double metric_of(const struct response_text *r, const char *series)
{
    return metric(r->body, r->n_body, series);
}

static void metrics_count_requests_by_route_status_and_stage(void **state)
{
    static struct response_text r;
    for (unsigned i = 0; i < 5; i++)
        ask_once(*state, "POST", "/v1/score", score, &r);
    ask_once(*state, "POST", "/v1/score", "{", &r);
    ask_once(*state, "GET", "/nowhere", NULL, &r);
    ask_well(*state, "/metrics", "text/plain; version=0.0.4; charset=utf-8", &r);
    check_metrics(r.body, r.n_body);
    assert_true(metric_of(&r, "collide_http_requests_total{route=\"/v1/score\",status=\"200\"}") == 5);
    assert_true(metric_of(&r, "collide_http_requests_total{route=\"/v1/score\",status=\"400\"}") == 1);
    assert_true(metric_of(&r, "collide_http_requests_total{route=\"other\",status=\"404\"}") == 1);
    assert_true(metric_of(&r, "collide_model_requests_total{model=\"tiny.model\"}") == 6);
    assert_true(metric_of(&r, "collide_model_unknown_ids_total{model=\"tiny.model\"}") == 5);
    assert_true(metric_of(&r, "collide_model_swaps_total{model=\"tiny.model\"}") == 0);
    static const char *const stages[] = {"read", "parse", "queue", "kernel", "print"};
    double sum = 0;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        char series[160];
        const char *of = "transport=\"http\",operation=\"score\",stage";
        snprintf(series, sizeof series, "collide_stage_duration_seconds_count{%s=\"%s\"}", of, stages[i]);
        assert_true(metric_of(&r, series) == 6);
        snprintf(series, sizeof series, "collide_stage_duration_seconds_sum{%s=\"%s\"}", of, stages[i]);
        sum += metric_of(&r, series);
    }
    double total =
        metric_of(&r, "collide_request_duration_seconds_sum{transport=\"http\",operation=\"score\"}");
    assert_true(sum > 0.999999 * total && sum < 1.000001 * total);
}

static void stats_are_json_and_count_up_to_each_other(void **state)
{
    static struct response_text r;
    ask_once(*state, "POST", "/v1/score", score, &r);
    ask_well(*state, "/v1/stats", "application/json", &r);
    cJSON *json = cJSON_Parse(r.body);
    assert_non_null(json);
    const cJSON *durations = cJSON_GetObjectItem(json, "durations"), *one, *bucket;
    assert_true(cJSON_GetArraySize(durations) > 0);
    cJSON_ArrayForEach (one, durations) {
        double n = 0;
        cJSON_ArrayForEach (bucket, cJSON_GetObjectItem(one, "counts"))
            n += cJSON_GetArrayItem(bucket, 1)->valuedouble;
        assert_true(n == cJSON_GetObjectItem(one, "n")->valuedouble);
    }
    assert_true(cJSON_GetObjectItem(json, "age_s")->valuedouble > 0);
    cJSON_Delete(json);
}

static void nothing_is_slow_that_was_not(void **state)
{
    static struct response_text r;
    ask_well(*state, "/debug/slow", "application/json", &r);
    assert_string_equal(r.body, "{\"slow_us\":0,\"requests\":[]}\n");
}

/* One file: it names nothing else to load, and its policy would not let it. */
static void the_page_stands_alone(void **state)
{
    static struct response_text r;
    struct client *c = test_calloc(1, sizeof *c);
    client_connect(*state, c);
    client_ask(c, "GET", "/", NULL, &r);
    assert_int_equal(r.status, 200);
    assert_string_equal(header_of(&r, "Content-Type"), "text/html; charset=utf-8");
    assert_string_equal(header_of(&r, "X-Frame-Options"), "DENY");
    assert_int_equal(strncmp(r.body, "<!doctype html>", 15), 0);
    assert_non_null(strstr(r.body, "content=\"default-src 'none'; script-src 'sha256-"));
    assert_non_null(strstr(r.body, "</html>"));
    assert_null(strstr(r.body, "@SCRIPT@"));
    assert_null(strstr(r.body, "<script src"));
    assert_null(strstr(r.body, "<link rel=\"stylesheet\""));
    client_close(c);
    test_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_count_requests_by_route_status_and_stage),
        cmocka_unit_test(stats_are_json_and_count_up_to_each_other),
        cmocka_unit_test(nothing_is_slow_that_was_not),
        cmocka_unit_test(the_page_stands_alone),
    };
    return RUN_SERVER_TESTS(tests);
}
