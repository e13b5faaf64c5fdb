/* Limits: what is just within is accepted, what is just beyond refused, and no small request gets much
 * memory. */
#include "parsed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct request_limits small = {.max_parts = 3, .max_items = 4, .max_history = 2};

/* "" or the message of the refusal. */
static const char *verdict(enum request_kind kind, const char *text, struct request *r)
{
    static struct collide_error err;
    return json_v1_parse(kind, text, strlen(text), &small, r, &err) == COLLIDE_OK ? "" : err.text;
}

static void lists_end_at_their_limits(void **state)
{
    (void)state;
    struct request r = {0};
    assert_string_equal(verdict(REQUEST_SCORE, "{\"user\": 1, \"items\": [1, 2, 3, 4]}", &r), "");
    assert_string_equal(verdict(REQUEST_SCORE, "{\"user\": 1, \"items\": [1, 2, 3, 4, 5]}", &r),
                        "\"items\" is longer than the limit of 4");
    assert_string_equal(
        verdict(REQUEST_SCORE, "{\"history\": [1, 2], \"weights\": [1, 1], \"items\": [1]}", &r), "");
    assert_string_equal(verdict(REQUEST_SCORE, "{\"history\": [1, 2, 3], \"items\": [1]}", &r),
                        "\"history\" is longer than the limit of 2");
    assert_string_equal(
        verdict(REQUEST_SCORE, "{\"history\": [1], \"weights\": [1, 2, 3], \"items\": [1]}", &r),
        "\"weights\" is longer than the limit of 2");
    assert_string_equal(verdict(REQUEST_SCORE, "{\"users\": [1, 2, 3, 4], \"items\": [1, 2, 3, 4]}", &r), "");
    assert_string_equal(verdict(REQUEST_SCORE, "{\"users\": [1, 2, 3, 4, 5], \"items\": [1]}", &r),
                        "\"users\" is longer than the limit of 4");
    assert_string_equal(verdict(REQUEST_TOPK, "{\"user\": 1, \"exclude\": [1, 2, 3, 4, 5]}", &r),
                        "\"exclude\" is longer than the limit of 4");
    assert_string_equal(verdict(REQUEST_TOPK, "{\"user\": 1, \"k\": 4}", &r), "");
    assert_string_equal(verdict(REQUEST_TOPK, "{\"user\": 1, \"k\": 5}", &r),
                        "\"k\" must be an integer from 1 to 4");
    request_free(&r);
}

static void batches_end_at_their_limit(void **state)
{
    (void)state;
    struct request r = {0};
    assert_string_equal(verdict(REQUEST_SCORE, "{\"requests\": [{}, {}, {}]}", &r), "");
    assert_int_equal(r.n_parts, 3);
    assert_string_equal(verdict(REQUEST_SCORE, "{\"requests\": [{}, {}, {}, {}]}", &r),
                        "\"requests\" is longer than the limit of 3");
    request_free(&r);
}

/* Ten bytes of request must not ask for a gigabyte of response. */
static void all_parts_share_one_limit_of_results(void **state)
{
    (void)state;
    struct request r = {0};
    assert_string_equal(verdict(REQUEST_TOPK,
                                "{\"requests\": [{\"user\": 1, \"k\": 3}, {\"user\": 1, \"k\": 2},"
                                " {\"user\": 1, \"k\": 1}]}",
                                &r),
                        "");
    assert_int_equal(r.parts[0].error.status, COLLIDE_OK);
    assert_string_equal(r.parts[1].error.text,
                        "2 scores more would be over the limit of 4 for the whole batch; send it in parts");
    assert_int_equal(r.parts[1].n_queries, 0);
    assert_int_equal(r.parts[2].error.status, COLLIDE_OK);
    assert_string_equal(
        verdict(REQUEST_SCORE,
                "{\"requests\": [{\"user\": 1, \"items\": [1, 2]}, {\"user\": 1, \"items\": [1, 2]},"
                " {\"users\": [1], \"items\": [1]}]}",
                &r),
        "");
    assert_int_equal(r.parts[1].error.status, COLLIDE_OK);
    assert_string_equal(r.parts[2].error.text,
                        "1 scores more would be over the limit of 4 for the whole batch; send it in parts");
    request_free(&r);
}

static void a_wrong_part_takes_nothing_of_the_limit(void **state)
{
    (void)state;
    struct request r = {0};
    assert_string_equal(
        verdict(REQUEST_SCORE,
                "{\"requests\": [{\"items\": [1, 2, 3]}, {\"users\": [1], \"items\": [1, 2, 3]},"
                " {\"user\": 1, \"items\": [1, 2, 3, 4]}]}",
                &r),
        "");
    assert_int_equal(r.parts[2].error.status, COLLIDE_OK);
    request_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_end_at_their_limits),
        cmocka_unit_test(batches_end_at_their_limit),
        cmocka_unit_test(all_parts_share_one_limit_of_results),
        cmocka_unit_test(a_wrong_part_takes_nothing_of_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
