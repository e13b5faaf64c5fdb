/* Inference requests that are wrong, and what is said of them. */
#include "model/model.h"
#include "oip_parsed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define USER  "{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]}"
#define ITEMS "{\"name\":\"items\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[1,2]}"

struct refusal {
    const char *json, *message;
};

static void refuse_all(const struct refusal *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        oip_refused((struct oip_text){.json = cases[i].json}, cases[i].message);
}

#define REFUSE_ALL(cases) refuse_all(cases, sizeof(cases) / sizeof(cases)[0])

/* Each input in place of a right one. */
static void refuse_inputs(const struct refusal *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char json[1024];
        snprintf(json, sizeof json, "{\"inputs\":[" USER ",%s]}", cases[i].json);
        oip_refused((struct oip_text){.json = json}, cases[i].message);
    }
}

static void what_is_no_request_says_where(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"", "must be a JSON object"},
        {"[]", "must be a JSON object"},
        {"{\"inputs\":[" USER "," ITEMS "]} x", "expected nothing more"},
        {"{\"inputs\":[" USER "," ITEMS "]", "expected ',' or '}'"},
        {"{\"inputs\":{}}", "\"inputs\" must be a list"},
        {"{\"inputs\":[],\"inputs\":[]}", "more than one field \"inputs\""},
        {"{\"model\":1}", "unknown field \"model\""},
        {"{\"id\":1}", "\"id\" must be a string"},
        {"{\"inputs\":[1]}", "an input must be an object"},
        {"{\"parameters\":[]}", "\"parameters\" must be an object"},
        {"{\"parameters\":{\"k\":0}}", "\"k\" must be an integer from 1 to 1000"},
        {"{\"parameters\":{\"timeout\":-1}}", "microseconds"},
        {"{\"outputs\":{}}", "\"outputs\" must be a list"},
    };
    REFUSE_ALL(cases);
}

static void tensors_are_what_they_say(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"{\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]}", "needs a \"name\""},
        {"{\"name\":\"items\",\"shape\":[1],\"data\":[1]}",
         "needs a \"name\", a \"shape\" and a \"datatype\""},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\"}", "must have either \"data\" or"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1],\"parameters\":{\"binary_"
         "data_size\":8}}",
         "must have either \"data\" or"},
        {"{\"name\":\"items\",\"shape\":[1],\"shape\":[2],\"datatype\":\"INT64\",\"data\":[1]}",
         "given twice"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1],\"x\":1}",
         "unknown field \"x\""},
        {"{\"name\":\"items\",\"shape\":[],\"datatype\":\"INT64\",\"data\":[1]}", "one or two sizes"},
        {"{\"name\":\"items\",\"shape\":[1,1,1],\"datatype\":\"INT64\",\"data\":[1]}", "one or two sizes"},
        {"{\"name\":\"items\",\"shape\":[-1],\"datatype\":\"INT64\",\"data\":[1]}", "one or two sizes"},
        {"{\"name\":\"items\",\"shape\":[9223372036854775807,4],\"datatype\":\"INT64\",\"data\":[1]}",
         "one or two sizes"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"FP64\",\"data\":[1]}",
         "datatype \"FP64\" is none"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}",
         "input \"items\" cannot be FP32"},
        {"{\"name\":\"items\",\"shape\":[3],\"datatype\":\"INT64\",\"data\":[1,2]}",
         "not the 3 values of its shape"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1,2]}",
         "not the 1 values of its shape"},
        {"{\"name\":\"items\",\"shape\":[1000000000000],\"datatype\":\"INT64\",\"data\":[1]}",
         "1 rows of 1000000000000 scores are over the limit of 1000"},
        {"{\"name\":\"items\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[[1,2]]}", "values of its shape"},
        {"{\"name\":\"items\",\"shape\":[2,2],\"datatype\":\"INT64\",\"data\":[[1,2,3],[4]]}",
         "values of its shape"},
        {"{\"name\":\"items\",\"shape\":[2,2],\"datatype\":\"INT64\",\"data\":[[1,2],3]}",
         "values of its shape"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":1}",
         "the \"data\" of an input must be a list"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[\"1\"]}",
         "value 0 is not an integer"},
        {"{\"name\":\"items\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[1,-1]}",
         "value 1 is not an integer"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1.0]}",
         "value 0 is not an integer"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[9223372036854775808]}",
         "as its INT64 are"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"UINT64\",\"data\":[18446744073709551616]}",
         "as its UINT64 are"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT32\",\"data\":[2147483648]}",
         "from 0 to 2147483647"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[1]}", "is not a string"},
        {"{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"parameters\":{\"shared_memory_region\":"
         "\"r\"}}",
         "shared memory are not supported"},
    };
    refuse_inputs(cases, sizeof cases / sizeof cases[0]);
}

static void inputs_are_known_and_fit_together(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"{\"name\":\"itmes\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]}", "did you mean \"items\"?"},
        {"{\"name\":\"candidates\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]}",
         "unknown input \"candidates\""},
        {"{\"name\":\"features.\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]}",
         "unknown input \"features.\""},
        {USER "," ITEMS, "input \"user\" is given twice"},
        {"{\"name\":\"items\",\"shape\":[2,1],\"datatype\":\"INT64\",\"data\":[1,2]}",
         "\"items\" has 2 rows where \"user\" has 1"},
        {ITEMS ",{\"name\":\"history_lengths\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[0]}",
         "of no use without"},
        {ITEMS ",{\"name\":\"history\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[0,1]},"
               "{\"name\":\"history_lengths\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[3]}",
         "row 0 has 3 where a row of \"history\" has 2"},
        {ITEMS ",{\"name\":\"history_lengths\",\"shape\":[1,2],\"datatype\":\"INT64\",\"data\":[3,4]}",
         "has one value a row"},
        {ITEMS ",{\"name\":\"weights\",\"shape\":[2],\"datatype\":\"FP32\",\"data\":[0,1]}",
         "the shape of \"history\""},
        {ITEMS ",{\"name\":\"weights\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[2e6]}",
         "from -1e6 to 1e6"},
        {ITEMS ",{\"name\":\"weights\",\"shape\":[1],\"datatype\":\"INT32\",\"data\":[2]}",
         "send it as FP32"},
        {ITEMS ",{\"name\":\"exclude\",\"shape\":[1],\"datatype\":\"INT32\",\"data\":[2]}", "go with \"k\""},
    };
    refuse_inputs(cases, sizeof cases / sizeof cases[0]);
}

static void what_is_asked_for_is_clear(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"{\"inputs\":[" USER "]}", "is missing"},
        {"{\"inputs\":[" ITEMS "]}", "say whom to score for"},
        {"{\"inputs\":[" USER "," ITEMS "],\"parameters\":{\"k\":3}}", "not both"},
        {"{\"inputs\":[" USER "," ITEMS "],\"outputs\":[{\"name\":\"items\"}]}", "is of a top-k"},
        {"{\"inputs\":[" USER "," ITEMS "],\"outputs\":[{\"name\":\"logits\"}]}",
         "unknown output \"logits\""},
        {"{\"inputs\":[" USER "," ITEMS "],\"outputs\":[{}]}", "unknown output"},
        {"{\"inputs\":[" USER "," ITEMS "],\"outputs\":[{\"name\":\"scores\"},{\"name\":\"scores\"}]}",
         "asked for twice"},
        {"{\"inputs\":[" USER "," ITEMS
         "],\"outputs\":[{\"name\":\"scores\",\"parameters\":{\"classification\":2}}]}",
         "\"classification\" is not supported"},
    };
    REFUSE_ALL(cases);
}

/* Limits: of the tests', 1000 items and 1000 ids of history. */
static void shapes_that_ask_for_much_are_refused_before_they_cost(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"{\"inputs\":[{\"name\":\"items\",\"shape\":[1000000000,0],\"datatype\":\"INT64\",\"data\":[]}]}",
         "1000000000 rows are over the limit"},
        {"{\"inputs\":[{\"name\":\"user\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[1,2]}],"
         "\"parameters\":{\"k\":501}}",
         "2 rows of 501 scores are over the limit of 1000"},
        {"{\"inputs\":[{\"name\":\"features.a\",\"shape\":[0,1000],\"datatype\":\"INT64\",\"data\":[]},"
         "{\"name\":\"history\",\"shape\":[0,1],\"datatype\":\"INT64\",\"data\":[]}],\"parameters\":{\"k\":1}"
         "}",
         "has 1001 ids; the limit is 1000"},
        {"{\"inputs\":[{\"name\":\"features.a\",\"shape\":[9,0],\"datatype\":\"INT64\",\"data\":[]}],"
         "\"parameters\":{\"k\":1}}",
         "\"features.a\" has no ids in a row; leave it out"},
        {"{\"inputs\":[{\"name\":\"history\",\"shape\":[101,0],\"datatype\":\"INT64\",\"data\":[]}],"
         "\"parameters\":{\"k\":1}}",
         "101 rows to find the best items for are over the limit of 100"},
    };
    REFUSE_ALL(cases);
}

static void a_request_has_no_more_features_than_a_model(void **state)
{
    (void)state;
    char text[8192], *at = text + sprintf(text, "{\"inputs\":[");
    for (int i = 0; i <= MODEL_MAX_FEATURES; i++)
        at +=
            sprintf(at, "%s{\"name\":\"features.f%d\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[%d]}",
                    i ? "," : "", i, i);
    strcpy(at, "],\"parameters\":{\"k\":1}}");
    oip_refused((struct oip_text){text, NULL, 0}, "more than 64 features, as no model has");
}

static void binary_data_have_the_size_of_their_shape(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {1, 2, UINT64_MAX};
    static const struct {
        const char *items;
        size_t n;
        const char *message;
    } cases[] = {
        {"\"shape\":[2],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":16}", 15,
         "15 bytes are left"},
        {"\"shape\":[2],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":16}", 17,
         "bytes are left behind the JSON that no input says are its"},
        {"\"shape\":[2],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":18446744073709551615}",
         16, "not the 2 values of its shape"},
        {"\"shape\":[2],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":-1}", 16,
         "must be a number of bytes"},
        {"\"shape\":[3],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":16}", 16,
         "not the 3 values"},
        {"\"shape\":[2],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":17}", 17,
         "not the 2 values"},
        {"\"shape\":[3],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":24}", 24, "is negative"},
        {"\"shape\":[6],\"datatype\":\"INT32\",\"parameters\":{\"binary_data_size\":24}", 24, "is negative"},
        {"\"shape\":[2],\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_size\":16}", 16,
         "not the 2 values"},
        {"\"shape\":[1],\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_size\":4}", 4,
         "not the 1 values"},
        {"\"shape\":[1000000000],\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_size\":16}", 16,
         "1 rows of 1000000000 scores"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[512];
        snprintf(json, sizeof json, "{\"inputs\":[" USER ",{\"name\":\"items\",%s}]}", cases[i].items);
        oip_refused((struct oip_text){json, numbers, cases[i].n}, cases[i].message);
    }
    static const float weights[] = {1.0f, __builtin_nanf("")};
    oip_refused((struct oip_text){"{\"inputs\":[{\"name\":\"weights\",\"shape\":[2],\"datatype\":\"FP32\","
                                  "\"parameters\":{\"binary_data_size\":8}}]}",
                                  weights, sizeof weights},
                "value 1 is not a number");
}

static void the_json_ends_within_the_body(void **state)
{
    (void)state;
    struct request request = {0};
    struct oip_form form;
    struct collide_error err = {0};
    const struct request_limits limits = {.max_parts = 1, .max_items = 10, .max_history = 10};
    const struct oip_body body = {.bytes = "{}", .n_bytes = 2, .n_json_bytes = 3};
    assert_int_equal(oip_parse(&body, &limits, &request, &form, &err), COLLIDE_INVALID);
    assert_non_null(
        strstr(err.text, "Inference-Header-Content-Length is 3 where the whole body has 2 bytes"));
    request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_request_says_where),
        cmocka_unit_test(tensors_are_what_they_say),
        cmocka_unit_test(inputs_are_known_and_fit_together),
        cmocka_unit_test(what_is_asked_for_is_clear),
        cmocka_unit_test(shapes_that_ask_for_much_are_refused_before_they_cost),
        cmocka_unit_test(a_request_has_no_more_features_than_a_model),
        cmocka_unit_test(binary_data_have_the_size_of_their_shape),
        cmocka_unit_test(the_json_ends_within_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
