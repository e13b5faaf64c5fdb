/* Responses, byte for byte. */
#include "parsed.h"

#include "base/error.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_printed(const struct buffer *out, const char *wanted)
{
    assert_false(out->failed);
    if (out->n_bytes != strlen(wanted) || memcmp(out->bytes, wanted, out->n_bytes) != 0)
        fail_msg("printed: %.*s instead of: %s", (int)out->n_bytes, out->bytes, wanted);
}

static void scores_come_in_order_with_the_count_of_unknown_ids(void **state)
{
    (void)state;
    struct request r = {0};
    struct buffer out = {0};
    float scores[] = {0.5f, -1e-7f, (float)NAN};
    parse_accepted(REQUEST_SCORE, "{\"user\": 1, \"items\": [1, 2, 3]}", &r);
    json_v1_print(&r, &(struct response){.scores = scores, .counts = {.n_lookups = 4, .n_unknown = 2}}, &out);
    assert_printed(&out, "{\"scores\":[0.5,-1e-7,null],\"unknown\":2}\n");
    out.n_bytes = 0;
    parse_accepted(REQUEST_SCORE, "{\"user\": 1, \"items\": []}", &r);
    json_v1_print(&r, &(struct response){.scores = scores}, &out);
    assert_printed(&out, "{\"scores\":[],\"unknown\":0}\n");
    buffer_free(&out);
    request_free(&r);
}

static void a_batch_prints_a_response_a_part_errors_among_them(void **state)
{
    (void)state;
    struct request r = {0};
    struct buffer out = {0};
    float scores[] = {1, 2, 3};
    parse_accepted(
        REQUEST_SCORE,
        "{\"requests\": [{\"user\": 1, \"items\": [1]}, {}, {\"users\": [1, 2], \"items\": [1, 2]}]}", &r);
    json_v1_print(&r, &(struct response){.scores = scores}, &out);
    assert_printed(&out,
                   "{\"responses\":[{\"scores\":[1]},"
                   "{\"error\":{\"code\":\"bad_request\",\"message\":\"\\\"items\\\", the list of what to "
                   "score, is missing\"}},"
                   "{\"scores\":[2,3]}],\"unknown\":0}\n");
    out.n_bytes = 0;
    parse_accepted(REQUEST_SCORE, "{\"requests\": []}", &r);
    json_v1_print(&r, &(struct response){.scores = scores}, &out);
    assert_printed(&out, "{\"responses\":[],\"unknown\":0}\n");
    buffer_free(&out);
    request_free(&r);
}

/* The model may refuse a part after parsing; the scores of the parts behind it stay where they were. */
static void a_part_refused_by_the_model_does_not_shift_the_others(void **state)
{
    (void)state;
    struct request r = {0};
    struct buffer out = {0};
    float scores[] = {1, 2, 3, 4};
    parse_accepted(
        REQUEST_SCORE,
        "{\"requests\": [{\"user\": 1, \"items\": [1]}, {\"user\": 2, \"items\": [1, 2]}, {\"user\": 3, "
        "\"items\": [1]}]}",
        &r);
    error_set(&r.parts[1].error, COLLIDE_INVALID, "no");
    json_v1_print(&r, &(struct response){.scores = scores}, &out);
    assert_printed(
        &out, "{\"responses\":[{\"scores\":[1]},{\"error\":{\"code\":\"bad_request\",\"message\":\"no\"}},"
              "{\"scores\":[4]}],\"unknown\":0}\n");
    buffer_free(&out);
    request_free(&r);
}

static void hits_spell_large_ids_as_requests_must(void **state)
{
    (void)state;
    struct request r = {0};
    struct response response;
    struct buffer out = {0};
    parse_accepted(REQUEST_TOPK, "{\"user\": 1, \"k\": 5}", &r);
    assert_int_equal(response_allocate(&r, &response, NULL), COLLIDE_OK);
    const struct collide_hit hits[] = {{collide_id_number(7), 2.0f},
                                       {collide_id_number(((uint64_t)1 << 53) - 1), 1.5f},
                                       {collide_id_number((uint64_t)1 << 53), 1.0f},
                                       {collide_id_number(UINT64_MAX), 0.5f},
                                       {collide_id_text("a\"b", 3), 0.0f}};
    memcpy(response.hits, hits, sizeof hits);
    response.n_hits[0] = 5;
    json_v1_print(&r, &response, &out);
    assert_printed(&out,
                   "{\"items\":[7,9007199254740991,\"9007199254740992\",\"18446744073709551615\",\"a\\\"b\"],"
                   "\"scores\":[2,1.5,1,0.5,0],\"unknown\":0}\n");
    buffer_free(&out);
    request_free(&r);
}

static void strings_are_always_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n_bytes;
        const char *wanted;
    } cases[] = {{"", 0, "\"\""},
                 {"plain", 5, "\"plain\""},
                 {"\"\\/", 3, "\"\\\"\\\\/\""},
                 {"\0\x1f\x7f", 3, "\"\\u0000\\u001f\x7f\""},
                 {"\n\t", 2, "\"\\u000a\\u0009\""},
                 {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
                 {"a\xff"
                  "b",
                  3,
                  "\"a\xef\xbf\xbd"
                  "b\""},
                 {"\xc3", 1, "\"\xef\xbf\xbd\""},                 /* cut off */
                 {"\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* longer than it needs to be */
                 {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* half a surrogate pair */
                 {"\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};
        json_print_string(&out, cases[i].text, cases[i].n_bytes);
        assert_printed(&out, cases[i].wanted);
        buffer_free(&out);
    }
}

/* What a hostile field name leaves in an error must not break the client that reads it. */
static void errors_cut_in_the_middle_of_a_letter_are_json(void **state)
{
    (void)state;
    char message[512];
    struct buffer out = {0};
    static const char text[] = "{\"a\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                               "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\": 1}";
    parse_refused(REQUEST_SCORE, text, sizeof text - 1, message);
    json_v1_print_error("bad_request", message, &out);
    buffer_append(&out, "", 1);
    assert_non_null(strstr(out.bytes, "\xc3\xa9\xef\xbf\xbd"));
    cJSON *document = cJSON_Parse(out.bytes);
    assert_non_null(document);
    cJSON_Delete(document);
    buffer_free(&out);
}

static void errors_have_a_code_and_a_message(void **state)
{
    (void)state;
    struct buffer out = {0};
    json_v1_print_error(json_v1_code(COLLIDE_BUSY), "later", &out);
    json_v1_print_error(json_v1_code(COLLIDE_NO_MEMORY), "oh", &out);
    json_v1_print_error(json_v1_code(COLLIDE_INVALID), "no", &out);
    assert_printed(&out, "{\"error\":{\"code\":\"unavailable\",\"message\":\"later\"}}\n"
                         "{\"error\":{\"code\":\"internal\",\"message\":\"oh\"}}\n"
                         "{\"error\":{\"code\":\"bad_request\",\"message\":\"no\"}}\n");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_come_in_order_with_the_count_of_unknown_ids),
        cmocka_unit_test(a_batch_prints_a_response_a_part_errors_among_them),
        cmocka_unit_test(a_part_refused_by_the_model_does_not_shift_the_others),
        cmocka_unit_test(hits_spell_large_ids_as_requests_must),
        cmocka_unit_test(strings_are_always_json),
        cmocka_unit_test(errors_cut_in_the_middle_of_a_letter_are_json),
        cmocka_unit_test(errors_have_a_code_and_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
