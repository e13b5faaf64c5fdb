/* Every refusal, word for word: clients and people read these. */
#include "parsed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct refusal {
    const char *text;
    const char *message;
};

static void check_all(enum request_kind kind, const struct refusal *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char message[512];
        parse_refused(kind, cases[i].text, strlen(cases[i].text), message);
        if (strcmp(message, cases[i].message) != 0)
            fail_msg("%s\n  is refused with: %s\n  instead of:      %s", cases[i].text, message,
                     cases[i].message);
    }
}

#define WHOM "say whom to score for: \"user\", \"history\" or \"features\", or several of them"

#define CHECK_ALL(kind, cases) check_all(kind, cases, sizeof cases / sizeof *cases)

static void texts_that_are_no_request(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"", "the request is empty; send a JSON object"},
        {" \n", "the request is empty; send a JSON object"},
        {"[]", "a request must be a JSON object"},
        {"17", "a request must be a JSON object"},
        {"user=17", "a request must be a JSON object"},
        {"{", "this is not JSON: expected a string at byte 1, where it ends"},
        {"{\"user\": 1, \"items\": [1]", "this is not JSON: expected ',' or '}' at byte 24, where it ends"},
        {"{\"user\": 1, \"items\": [1}", "this is not JSON: expected ',' or ']' at byte 23"},
        {"{\"user\": 1, \"items\": [1]} x", "this is not JSON: expected nothing more at byte 26"},
        {"{\"user\": 1, \"items\": [1]}{}", "this is not JSON: expected nothing more at byte 25"},
        {"{\"user\": 01, \"items\": [1]}",
         "this is not JSON: expected no digit behind a leading 0 at byte 10"},
        {"{\"user\": \"\\ud800\", \"items\": [1]}",
         "this is not JSON: expected both halves of a surrogate pair at byte 16"},
        {"{\"user\": 1111111111111111111111111111111111111111111111111111111111111111, \"items\": []}",
         "this is not JSON: expected a number of at most 63 characters at byte 72"},
    };
    CHECK_ALL(REQUEST_SCORE, cases);
}

static void fields_that_are_not_there(void **state)
{
    (void)state;
    static const struct refusal score[] = {
        {"{}", "\"items\", the list of what to score, is missing"},
        {"{\"user\": 1}", "\"items\", the list of what to score, is missing"},
        {"{\"items\": [1]}", WHOM},
        {"{\"items\": [1], \"weights\": [1]}", WHOM},
    };
    static const struct refusal topk[] = {
        {"{}", WHOM},
        {"{\"k\": 3}", WHOM},
    };
    CHECK_ALL(REQUEST_SCORE, score);
    CHECK_ALL(REQUEST_TOPK, topk);
}

static void fields_that_should_not_be_there(void **state)
{
    (void)state;
    static const struct refusal score[] = {
        {"{\"usr\": 1, \"items\": [1]}", "unknown field \"usr\"; did you mean \"user\"?"},
        {"{\"user\": 1, \"itmes\": [1]}", "unknown field \"itmes\"; did you mean \"items\"?"},
        {"{\"user\": 1, \"Items\": [1]}", "unknown field \"Items\"; did you mean \"items\"?"},
        {"{\"user\": 1, \"candidates\": [1]}", "unknown field \"candidates\""},
        {"{\"user\": 1, \"k\": 5, \"items\": [1]}", "unknown field \"k\""},
        {"{\"\": 1}", "unknown field \"\""},
        {"{\"a field with a name that goes on and on and on\": 1}",
         "unknown field \"a field with a name that goes on\""},
        {"{\"user\\u0000\": 1}", "unknown field \"user\"; did you mean \"user\"?"},
        {"{\"user\": 1, \"user\": 2, \"items\": [1]}", "field \"user\" is given twice"},
        {"{\"user\": 1, \"items\": [1], \"items\": [1]}", "field \"items\" is given twice"},
        {"{\"users\": [1], \"items\": [1], \"user\": 1}",
         "\"users\" makes pairs with \"items\"; it goes with nothing else"},
        {"{\"users\": [1], \"items\": [1], \"history\": []}",
         "\"users\" makes pairs with \"items\"; it goes with nothing else"},
        {"{\"requests\": [], \"user\": 1}", "\"requests\" has no other fields beside it and is not nested"},
        {"{\"requests\": [], \"requests\": []}",
         "\"requests\" has no other fields beside it and is not nested"},
        {"{\"user\": 1, \"requests\": []}", "\"requests\" has no other fields beside it and is not nested"},
    };
    static const struct refusal topk[] = {
        {"{\"user\": 1, \"exclude-seen\": true}",
         "unknown field \"exclude-seen\"; did you mean \"exclude_seen\"?"},
        {"{\"user\": 1, \"items\": [1]}", "unknown field \"items\""},
        {"{\"users\": [1]}", "unknown field \"users\"; did you mean \"user\"?"},
    };
    CHECK_ALL(REQUEST_SCORE, score);
    CHECK_ALL(REQUEST_TOPK, topk);
}

static void values_of_the_wrong_kind(void **state)
{
    (void)state;
    static const struct refusal score[] = {
        {"{\"user\": null, \"items\": [1]}", "\"user\": an id is an integer or a string"},
        {"{\"user\": [1], \"items\": [1]}", "\"user\": an id is an integer or a string"},
        {"{\"user\": true, \"items\": [1]}", "\"user\": an id is an integer or a string"},
        {"{\"user\": 1, \"items\": 1}", "\"items\" must be a list"},
        {"{\"user\": 1, \"items\": {\"0\": 1}}", "\"items\" must be a list"},
        {"{\"user\": 1, \"items\": [[1]]}", "\"items\": an id is an integer or a string"},
        {"{\"user\": 1, \"items\": [1, null]}", "\"items\": an id is an integer or a string"},
        {"{\"history\": 3, \"items\": [1]}", "\"history\" must be a list"},
        {"{\"history\": [3], \"weights\": 1, \"items\": [1]}", "\"weights\" must be a list"},
        {"{\"history\": [3], \"weights\": [\"1\"], \"items\": [1]}",
         "\"weights\": entry 0 is not a number from -1e6 to 1e6"},
        {"{\"history\": [3, 4], \"weights\": [1, null], \"items\": [1]}",
         "\"weights\": entry 1 is not a number from -1e6 to 1e6"},
        {"{\"users\": 1, \"items\": [1]}", "\"users\" must be a list"},
        {"{\"requests\": {}}", "\"requests\" must be a list of requests"},
        {"{\"requests\": null}", "\"requests\" must be a list of requests"},
    };
    static const struct refusal topk[] = {
        {"{\"user\": 1, \"k\": \"5\"}", "\"k\" must be an integer from 1 to 1000"},
        {"{\"user\": 1, \"k\": null}", "\"k\" must be an integer from 1 to 1000"},
        {"{\"user\": 1, \"exclude\": 5}", "\"exclude\" must be a list"},
        {"{\"user\": 1, \"exclude_seen\": 1}", "\"exclude_seen\" must be true or false"},
        {"{\"user\": 1, \"exclude_seen\": \"true\"}", "\"exclude_seen\" must be true or false"},
    };
    CHECK_ALL(REQUEST_SCORE, score);
    CHECK_ALL(REQUEST_TOPK, topk);
}

static void values_out_of_range(void **state)
{
    (void)state;
    static const struct refusal score[] = {
        {"{\"user\": -1, \"items\": [1]}",
         "\"user\": -1 is no id; numeric ids are integers from 0 on, others are strings"},
        {"{\"user\": -0, \"items\": [1]}",
         "\"user\": -0 is no id; numeric ids are integers from 0 on, others are strings"},
        {"{\"user\": 1, \"items\": [1.5]}",
         "\"items\": 1.5 is no id; numeric ids are integers from 0 on, others are strings"},
        {"{\"user\": 9007199254740992, \"items\": [1]}",
         "\"user\": integers from 2^53 on lose digits in JSON; send the id as a string"},
        {"{\"user\": 1, \"items\": [18446744073709551616]}",
         "\"items\": integers from 2^53 on lose digits in JSON; send the id as a string"},
        {"{\"user\": 1, \"items\": [1e400]}",
         "\"items\": integers from 2^53 on lose digits in JSON; send the id as a string"},
        {"{\"user\": -1e400, \"items\": []}",
         "\"user\": -inf is no id; numeric ids are integers from 0 on, others are strings"},
        {"{\"history\": [3], \"weights\": [1000001], \"items\": [1]}",
         "\"weights\": entry 0 is not a number from -1e6 to 1e6"},
        {"{\"history\": [3], \"weights\": [1e999], \"items\": [1]}",
         "\"weights\": entry 0 is not a number from -1e6 to 1e6"},
        {"{\"history\": [3], \"weights\": [1, 2], \"items\": [1]}",
         "\"weights\" has 2 entries where \"history\" has 1"},
        {"{\"user\": 3, \"weights\": [1, 2], \"items\": [1]}",
         "\"weights\" has 2 entries where \"history\" has 0"},
        {"{\"users\": [1], \"items\": [1, 2]}",
         "\"users\" has 1 entries and \"items\" 2; pairs need as many"},
    };
    static const struct refusal topk[] = {
        {"{\"user\": 1, \"k\": 0}", "\"k\" must be an integer from 1 to 1000"},
        {"{\"user\": 1, \"k\": -3}", "\"k\" must be an integer from 1 to 1000"},
        {"{\"user\": 1, \"k\": 1.5}", "\"k\" must be an integer from 1 to 1000"},
        {"{\"user\": 1, \"k\": 1001}", "\"k\" must be an integer from 1 to 1000"},
        {"{\"user\": 1, \"k\": 1e300}", "\"k\" must be an integer from 1 to 1000"},
    };
    CHECK_ALL(REQUEST_SCORE, score);
    CHECK_ALL(REQUEST_TOPK, topk);
}

static void a_batch_that_is_not_json_is_refused_as_a_whole(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"{\"requests\": [{\"user\": 1, \"items\": [1]}, {\"user\": ]}",
         "this is not JSON: expected a value at byte 50"},
        {"{\"requests\": [{\"user\": 1, \"items\": [1]}, {\"user\": -",
         "this is not JSON: expected a digit at byte 51, where it ends"},
        {"{\"requests\": [{}, 3 4]}", "this is not JSON: expected ',' or ']' at byte 20"},
        {"{\"requests\": [{}", "this is not JSON: expected ',' or ']' at byte 16, where it ends"},
        {"{\"requests\": [{}]", "this is not JSON: expected ',' or '}' at byte 17, where it ends"},
        {"{\"requests\": [{}]}}", "this is not JSON: expected nothing more at byte 18"},
    };
    CHECK_ALL(REQUEST_SCORE, cases);
}

static void nul_bytes_are_not_json(void **state)
{
    (void)state;
    char message[512];
    parse_refused(REQUEST_SCORE, "{\"user\": 1, \"items\": []}\0", 25, message);
    assert_string_equal(message, "this is not JSON: expected nothing more at byte 24");
    parse_refused(REQUEST_SCORE, "{\0}", 3, message);
    assert_string_equal(message, "this is not JSON: expected a string at byte 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_no_request),
        cmocka_unit_test(fields_that_are_not_there),
        cmocka_unit_test(fields_that_should_not_be_there),
        cmocka_unit_test(values_of_the_wrong_kind),
        cmocka_unit_test(values_out_of_range),
        cmocka_unit_test(a_batch_that_is_not_json_is_refused_as_a_whole),
        cmocka_unit_test(nul_bytes_are_not_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
