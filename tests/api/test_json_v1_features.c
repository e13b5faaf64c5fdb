/* "features": what is taken, word for word what is refused, and the limit that it shares with "history". */
#include "parsed.h"

#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_feature(const struct collide_feature *f, const char *name, size_t n_ids)
{
    assert_int_equal(f->n_bytes, strlen(name));
    assert_memory_equal(f->name, name, f->n_bytes);
    assert_int_equal(f->n_ids, n_ids);
    assert_null(f->weights);
}

static void features_go_with_their_query(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_SCORE,
                   "{\"features\": {\"country\": [\"DE\", 7], \"device\": []}, \"user\": 3, \"items\": [1]}",
                   &r);
    const struct collide_query *q = &r.queries[0];
    assert_int_equal(q->n_features, 2);
    assert_feature(&q->features[0], "country", 2);
    assert_id_text(q->features[0].ids[0], "DE", 2);
    assert_id_number(q->features[0].ids[1], 7);
    assert_feature(&q->features[1], "device", 0);
    assert_id_number(*q->user, 3);
    request_free(&r);
}

static void features_alone_are_enough(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_TOPK, "{\"features\": {\"country\": [1]}}", &r);
    assert_null(r.topk[0].query.user);
    assert_int_equal(r.topk[0].query.n_history, 0);
    assert_int_equal(r.topk[0].query.n_features, 1);
    parse_accepted(REQUEST_TOPK, "{\"features\": {}}", &r);
    assert_int_equal(r.topk[0].query.n_features, 0);
    request_free(&r);
}

static void each_part_has_its_own(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(
        REQUEST_SCORE,
        "{\"requests\": [{\"features\": {\"a\": [1]}, \"items\": [1]}, {\"user\": 1, \"items\": [1]},"
        "{\"features\": {\"a\": 1}, \"items\": [1]}, {\"features\": {\"b\": [1, 2]}, \"items\": []}]}",
        &r);
    assert_int_equal(r.n_queries, 3);
    assert_feature(&r.queries[0].features[0], "a", 1);
    assert_int_equal(r.queries[1].n_features, 0);
    assert_string_equal(r.parts[2].error.text, "\"a\" must be a list");
    assert_feature(&r.queries[2].features[0], "b", 2);
    request_free(&r);
}

static void names_come_without_escapes(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_TOPK, "{\"features\": {\"\\u0061\\\"\": [1], \"\": [2]}}", &r);
    assert_feature(&r.topk[0].query.features[0], "a\"", 1);
    assert_feature(&r.topk[0].query.features[1], "", 1);
    request_free(&r);
}

static void what_is_no_features_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *value, *message;
    } cases[] = {
        {"[1]", "\"features\" must be an object with a list of ids each, such as {\"country\": [\"DE\"]}"},
        {"null", "\"features\" must be an object with a list of ids each, such as {\"country\": [\"DE\"]}"},
        {"{\"country\": \"DE\"}", "\"country\" must be a list"},
        {"{\"country\": {\"ids\": [1]}}", "\"country\" must be a list"},
        {"{\"country\": [true]}", "\"country\": an id is an integer or a string"},
        {"{\"country\": [-1]}",
         "\"country\": -1 is no id; numeric ids are integers from 0 on, others are strings"},
        {"{\"a\": [1], \"b\": [1], \"a\": []}", "feature \"a\" is given twice"},
        {"{\"a feature with a name that goes on and on\": 1}",
         "\"a feature with a name that goes \" must be a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256], message[512];
        int n = snprintf(text, sizeof text, "{\"features\": %s, \"items\": [1]}", cases[i].value);
        parse_refused(REQUEST_SCORE, text, (size_t)n, message);
        assert_string_equal(message, cases[i].message);
    }
}

static void pairs_have_none(void **state)
{
    (void)state;
    char message[512];
    static const char text[] = "{\"users\": [1], \"items\": [1], \"features\": {}}";
    parse_refused(REQUEST_SCORE, text, sizeof text - 1, message);
    assert_string_equal(message, "\"users\" makes pairs with \"items\"; it goes with nothing else");
}

static void a_request_has_no_more_features_than_a_model(void **state)
{
    (void)state;
    for (int n = MODEL_MAX_FEATURES; n <= MODEL_MAX_FEATURES + 1; n++) {
        char text[2048], message[512];
        char *at = text + sprintf(text, "{\"features\": {");
        for (int i = 0; i < n; i++)
            at += sprintf(at, "%s\"f%d\": [%d]", i ? ", " : "", i, i);
        strcpy(at, "}}");
        if (n == MODEL_MAX_FEATURES) {
            struct request r = {0};
            parse_accepted(REQUEST_TOPK, text, &r);
            assert_int_equal(r.topk[0].query.n_features, n);
            assert_id_number(r.topk[0].query.features[n - 1].ids[0], (uint64_t)n - 1);
            request_free(&r);
        } else {
            parse_refused(REQUEST_TOPK, text, strlen(text), message);
            assert_string_equal(message, "\"features\" has more than 64 features, as no model has");
        }
    }
}

static void ids_count_toward_the_limit_of_the_history(void **state)
{
    (void)state;
    static const struct request_limits limits = {.max_parts = 1, .max_items = 10, .max_history = 3};
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"history\": [1], \"features\": {\"a\": [1], \"b\": [1]}}", ""},
        {"{\"history\": [1, 2], \"features\": {\"a\": [1], \"b\": [1]}}",
         "\"history\" and \"features\" have 4 ids together; the limit is 3"},
        {"{\"features\": {\"a\": [1, 2], \"b\": [1, 2]}, \"user\": 1}",
         "\"history\" and \"features\" have 4 ids together; the limit is 3"},
        {"{\"features\": {\"a\": [1, 2, 3, 4]}}", "\"a\" is longer than the limit of 3"},
    };
    struct request r = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collide_error err = {0};
        json_v1_parse(REQUEST_TOPK, cases[i].text, strlen(cases[i].text), &limits, &r, &err);
        assert_string_equal(err.text, cases[i].message);
    }
    request_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_go_with_their_query),
        cmocka_unit_test(features_alone_are_enough),
        cmocka_unit_test(each_part_has_its_own),
        cmocka_unit_test(names_come_without_escapes),
        cmocka_unit_test(what_is_no_features_is_refused),
        cmocka_unit_test(pairs_have_none),
        cmocka_unit_test(a_request_has_no_more_features_than_a_model),
        cmocka_unit_test(ids_count_toward_the_limit_of_the_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
