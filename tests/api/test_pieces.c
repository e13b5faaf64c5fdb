/* Requests whose bodies come in pieces: what is read, what is refused and when, and what it takes. */
#include "api/pieces.h"
#include "parsed.h"
#include "score/query_ids.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One byte each, then odd sizes. */
static const struct cuts CUTS[] = {{1, 0},  {2, 0}, {3, 0},  {7, 0}, {13, 0},
                                   {31, 0}, {5, 1}, {40, 2}, {90, 3}};
enum { N_CUTS = sizeof CUTS / sizeof CUTS[0] };

static void check_v1(enum request_kind kind, const char *text)
{
    struct request whole = {0}, cut = {0};
    struct collide_error error = {0};
    char *last;
    json_v1_parse(kind, text, strlen(text), &parsed_limits, &whole, &error);
    for (size_t i = 0; i < N_CUTS; i++) {
        struct collide_error err = {0};
        pieces_parse_v1(kind, text, strlen(text), CUTS[i], &parsed_limits, &cut, &last, &err);
        if (err.status != error.status || strcmp(err.text, error.text) != 0 ||
            !requests_are_equal(&whole, &cut))
            fail_msg("%s, in pieces of %zu: %s, not %s", text, CUTS[i].max_bytes, err.text, error.text);
        free(last);
    }
    request_free(&whole);
    request_free(&cut);
}

static void a_request_in_pieces_is_the_same_request(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"user\": 17, \"items\": [3, 5, 123456789012345, 9007199254740991, 0]}",
        "{\"items\": [\"a\", \"\", \"b\\n\\u20ac\\ud83d\\ude00c\", 7], \"user\": \"\\\"u\\\"\"}",
        " { \"users\" : [ 1 , 2 ] , \"items\" : [ 3 , 4 ] } \n",
        "{\"history\": [1, 2, 3], \"weights\": [0.5, -1e-3, 1.25E+2], \"items\": [], \"timeout_us\": 50}",
        "{\"features\": {\"country\": [\"DE\"], \"d\\u0065vice\": [7, 8], \"x\": []}, \"items\": [1]}",
        "{\"requests\": [{\"user\": 1, \"items\": [2]}, {\"user\": 1, \"itms\": [[{\"a\": [1, null]}], 2]}, "
        "17, "
        "{\"user\": [true, false], \"items\": \"x\\\\\"}, {}, {\"items\": [3], \"user\": 9}]}",
        "{\"requests\": []}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_v1(REQUEST_SCORE, texts[i]);
    check_v1(REQUEST_TOPK, "{\"user\": 3, \"k\": 20, \"exclude_seen\": true, \"exclude\": [1, \"2\"]}");
    check_v1(REQUEST_TOPK, "{\"requests\": [{\"history\": [3], \"k\": 1}, {\"k\": 2.5, \"user\": 3}]}");
}

static void an_error_in_pieces_is_the_same_error(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "  ",
                                        "[]",
                                        "{",
                                        "{\"user\"",
                                        "{\"user\": 1, \"items\": [1]",
                                        "{\"user\": 1, \"items\": [1,]}",
                                        "{\"user\": 1, \"items\": [1]} x",
                                        "{\"user\": 1, \"items\": [1], \"user\": 2}",
                                        "{\"user\": 1, \"itmes\": [1]}",
                                        "{\"user\": 1.5, \"items\": [1]}",
                                        "{\"user\": 18446744073709551616, \"items\": [1]}",
                                        "{\"user\": tru, \"items\": [1]}",
                                        "{\"user\": \"\\x\", \"items\": [1]}",
                                        "{\"user\": \"\\ud800\", \"items\": [1]}",
                                        "{\"items\": [1]}",
                                        "{\"requests\": [{}], \"k\": 1}",
                                        "{\"requests\": [{}",
                                        "{\"user\": 1, \"items\": {\"a\": 1}}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_v1(REQUEST_SCORE, texts[i]);
}

static void check_oip(const char *json, const char *binary, size_t n_binary)
{
    struct request whole = {0}, cut = {0};
    struct oip_form form, cut_form;
    struct collide_error error = {0};
    size_t n_json = strlen(json);
    char bytes[2048], *last;
    memcpy(bytes, json, n_json);
    memcpy(bytes + n_json, binary, n_binary);
    const struct oip_body body = {bytes, n_json + n_binary, n_binary ? n_json : SIZE_MAX};
    oip_parse(&body, &parsed_limits, &whole, &form, &error);
    for (size_t i = 0; i < N_CUTS; i++) {
        struct collide_error err = {0};
        pieces_parse_oip(&body, CUTS[i], &parsed_limits, &cut, &cut_form, &last, &err);
        if (err.status != error.status || strcmp(err.text, error.text) != 0 ||
            !requests_are_equal(&whole, &cut) ||
            (error.status == COLLIDE_OK && !forms_are_equal(&form, &cut_form)))
            fail_msg("%s, in pieces of %zu: %s, not %s", json, CUTS[i].max_bytes, err.text, error.text);
        free(last);
    }
    request_free(&whole);
    request_free(&cut);
}

static void an_inference_in_pieces_is_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"id\": \"a\\u0041\", \"inputs\": [{\"name\": \"user\", \"shape\": [1], \"datatype\": \"INT64\", "
        "\"data\": [17]}, {\"name\": \"items\", \"shape\": [3], \"datatype\": \"INT64\", \"data\": [3, 5, "
        "8]}]}",
        /* what data are comes behind them, as from clients that sort their keys */
        "{\"inputs\": [{\"data\": [[3, 5], [8, 9]], \"datatype\": \"UINT64\", \"name\": \"items\", "
        "\"parameters\": {\"x\": [1, {\"y\": null}]}, \"shape\": [2, 2]}, {\"data\": [\"a\", \"b\\n\"], "
        "\"datatype\": \"BYTES\", \"name\": \"user\", \"shape\": [2]}], \"outputs\": [{\"name\": \"scores\", "
        "\"parameters\": {\"binary_data\": true}}], \"parameters\": {\"timeout\": 5, \"priority\": [0]}}",
        "{\"parameters\": {\"k\": 3, \"exclude_seen\": true}, \"inputs\": [{\"name\": \"features.a\", "
        "\"shape\": [2, 1], \"datatype\": \"INT32\", \"data\": [1, 2]}, {\"name\": \"history\", \"shape\": "
        "[2, 2], "
        "\"datatype\": \"INT32\", \"data\": [[1, 2], [3, 4]]}, {\"name\": \"weights\", \"shape\": [2, 2], "
        "\"datatype\": \"FP32\", \"data\": [1, 0.5, -2e3, 4]}, {\"name\": \"history_lengths\", \"shape\": "
        "[2], "
        "\"datatype\": \"INT32\", \"data\": [1, 2]}]}",
        "{\"inputs\": [{\"name\": \"items\", \"shape\": [2], \"datatype\": \"INT64\", \"data\": [1, 2, 3]}]}",
        ("{\"inputs\": [{\"data\": [1, \"x\"], \"name\": \"items\", \"shape\": [2], \"datatype\": "
         "\"INT64\"}]}"),
        "{\"inputs\": [{\"name\": \"items\", \"shape\": [1, 2, 3], \"datatype\": \"INT64\", \"data\": []}]}",
        "{\"inputs\": [], \"outputs\": [{\"name\": \"scores\", \"x\": 1}]}",
        "{\"inputs\": [{\"name\": \"user\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_oip(texts[i], "", 0);
}

static void binary_tensors_in_pieces_are_the_same(void **state)
{
    (void)state;
#define BINARY_OF(users, user_bytes)                                                                         \
    "{\"inputs\": [{\"name\": \"user\", \"shape\": [2], \"datatype\": \"" users                              \
    "\", \"parameters\": {\"binary_data_size\": " user_bytes                                                 \
    "}}, {\"name\": \"items\", \"shape\": [2, 3], \"datatype\": \"INT32\", \"parameters\": "                 \
    "{\"binary_data_size\": 24}}]}"
#define ITEMS "\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0"
    static const char texts[] = "\3\0\0\0abc\0\0\0\0" ITEMS,
                      numbers[] = "\7\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0" ITEMS;
    static const char negative[] = "\7\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\xff" ITEMS,
                      too_long[] = "\4\0\0\0abcd" ITEMS;
    check_oip(BINARY_OF("BYTES", "11"), texts, sizeof texts - 1);
    check_oip(BINARY_OF("BYTES", "11"), texts, sizeof texts - 5);
    check_oip(BINARY_OF("BYTES", "12"), texts, sizeof texts - 1);
    check_oip(BINARY_OF("BYTES", "8"), too_long, sizeof too_long - 1);
    check_oip(BINARY_OF("INT64", "16"), numbers, sizeof numbers - 1);
    check_oip(BINARY_OF("INT64", "16"), numbers, sizeof numbers);
    check_oip(BINARY_OF("INT64", "16"), numbers, 9);
    check_oip(BINARY_OF("INT64", "16"), negative, sizeof negative - 1);
}

static size_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* A request in pieces that are made up as it goes. */
struct stream {
    struct json_v1_reader *v1;
    struct oip_reader *oip;
    char window[(64 << 10) + 4096]; /* what is not read yet */
    size_t n_bytes, max_allocated;
    struct collide_error err;
};

static enum collide_status stream_send(struct stream *s, const void *bytes, size_t n, bool is_last)
{
    size_t n_read = 0;
    assert_in_range(n, 0, sizeof s->window - s->n_bytes);
    memcpy(s->window + s->n_bytes, bytes, n);
    s->n_bytes += n;
    const struct request_text text = {s->window, s->n_bytes, is_last};
    enum collide_status status =
        s->v1 ? json_v1_read(s->v1, &text, &n_read, &s->err) : oip_read(s->oip, &text, &n_read, &s->err);
    if (status == COLLIDE_OK) {
        s->n_bytes -= n_read;
        memmove(s->window, s->window + n_read, s->n_bytes);
    }
    if (allocated_bytes() > s->max_allocated)
        s->max_allocated = allocated_bytes();
    return status;
}

static enum collide_status stream_text(struct stream *s, const char *text)
{
    return stream_send(s, text, strlen(text), false);
}

static const struct request_limits large = {.max_parts = 10, .max_items = 4000000, .max_history = 1000};

/* 16 MB of ids take their own memory and nothing beside it. */
static void ids_of_a_large_body_are_all_it_takes(void **state)
{
    (void)state;
    enum { N = 2000000 };
    static struct stream s;
    struct request request = {0};
    char text[16];
    size_t before = allocated_bytes(), n_text = 0;
    s = (struct stream){.v1 = json_v1_begin(REQUEST_SCORE, &large, &request)};
    assert_int_equal(stream_text(&s, "{\"items\": [0"), COLLIDE_OK);
    for (uint64_t i = 1; i < N; i++) {
        n_text += (size_t)snprintf(text, sizeof text, ",%llu", (unsigned long long)(10000000 + i));
        assert_int_equal(stream_text(&s, text), COLLIDE_OK);
    }
    assert_int_equal(stream_send(&s, "], \"user\": 3}", 13, true), COLLIDE_OK);
    assert_true(n_text > (16 << 20));
    /* A list has up to twice the room that it needs. */
    assert_in_range(s.max_allocated - before, 0, 2 * N * sizeof(uint64_t) + (64 << 10));
    assert_int_equal(request.queries[0].n_items, N);
    for (uint64_t i = 1; i < N; i++)
        assert_int_equal(query_item(&request.queries[0], i).number, 10000000 + i);
    request_free(&request);
}

static void a_key_whose_value_has_not_come_is_not_kept(void **state)
{
    (void)state;
    enum { N_KEY = 50000, N_PIECES = 2000 };
    static struct stream s;
    static char key[N_KEY];
    struct request request = {0};
    size_t before = allocated_bytes();
    memset(key, 'a', N_KEY);
    s = (struct stream){.v1 = json_v1_begin(REQUEST_SCORE, &large, &request)};
    assert_int_equal(stream_text(&s, "{\"user\": 1, \"\\u0061"), COLLIDE_OK);
    assert_int_equal(stream_send(&s, key, N_KEY, false), COLLIDE_OK);
    assert_int_equal(stream_text(&s, "\""), COLLIDE_OK);
    for (int i = 0; i < N_PIECES; i++)
        assert_int_equal(stream_text(&s, i == N_PIECES / 2 ? ":" : " "), COLLIDE_OK);
    assert_in_range(s.max_allocated - before, 0, 64 << 10);
    assert_int_equal(stream_text(&s, "1"), COLLIDE_INVALID);
    request_free(&request);
}

static void binary_ids_of_a_large_body_are_all_it_takes(void **state)
{
    (void)state;
    enum { N = 2000000 };
    static struct stream s;
    struct request request = {0};
    struct oip_form form;
    char json[512];
    size_t before = allocated_bytes();
    int n = snprintf(json, sizeof json,
                     "{\"inputs\":[{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT32\",\"data\":[3]},"
                     "{\"name\":\"items\",\"shape\":[%d],\"datatype\":\"INT64\",\"parameters\":"
                     "{\"binary_data_size\":%d}}]}",
                     N, 8 * N);
    s = (struct stream){.oip = oip_begin((size_t)n, &large, &request, &form)};
    assert_int_equal(stream_text(&s, json), COLLIDE_OK);
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(stream_send(&s, &i, sizeof i, i + 1 == N), COLLIDE_OK);
    assert_in_range(s.max_allocated - before, 0, 2 * 8 * N + (64 << 10));
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(((const uint64_t *)request.queries[0].item_numbers)[i], i);
    request_free(&request);
}

/* What is passed over takes nothing at all. */
static void what_is_passed_over_is_forgotten(void **state)
{
    (void)state;
    static struct stream s;
    struct request request = {0};
    size_t before = allocated_bytes();
    s = (struct stream){.v1 = json_v1_begin(REQUEST_SCORE, &large, &request)};
    assert_int_equal(stream_text(&s, "{\"requests\": [{\"itmes\": [0"), COLLIDE_OK);
    for (int i = 0; i < 300000; i++)
        assert_int_equal(stream_text(&s, ", {\"a\\n\": [\"text \\u0041\", 1.5e3, null]}   \n"), COLLIDE_OK);
    static const char end[] = "]}, {\"user\": 1, \"items\": [2]}]}";
    assert_int_equal(stream_send(&s, end, sizeof end - 1, true), COLLIDE_OK);
    assert_in_range(s.max_allocated - before, 0, 64 << 10);
    assert_string_equal(request.parts[0].error.text, "unknown field \"itmes\"; did you mean \"items\"?");
    assert_int_equal(request.n_queries, 1);
    request_free(&request);
}

/* Each refused with the piece that shows it, and more was to come. */
static void what_is_wrong_is_refused_at_once(void **state)
{
    (void)state;
    static struct stream s;
    static char text[(64 << 10) + 64];
    struct request request = {0};
    struct oip_form form;
    const struct request_limits small = {.max_parts = 1, .max_items = 3, .max_history = 2};
    static const struct {
        const char *text, *message;
    } v1[] = {{"{\"user\": 1, \"items\": [1, 2, 3, 4", "\"items\" is longer than the limit of 3"},
              {"{\"history\": [1, 2, 3, ", "\"history\" is longer than the limit of 2"},
              {"{\"features\": {\"a\": [1, 2, 3, ", "\"a\" is longer than the limit of 2"},
              {"{\"requests\": [{}, {", "\"requests\" is longer than the limit of 1"},
              {"{\"usr\": 1", "unknown field \"usr\"; did you mean \"user\"?"},
              {"{\"user\": x", "\"user\": an id is an integer or a string"},
              {"{\"user\": \"a\nb", "this is not JSON: expected the end of a string at byte 11"}};
    for (size_t i = 0; i < sizeof v1 / sizeof *v1; i++) {
        s = (struct stream){.v1 = json_v1_begin(REQUEST_SCORE, &small, &request)};
        assert_int_equal(stream_text(&s, v1[i].text), COLLIDE_INVALID);
        assert_string_equal(s.err.text, v1[i].message);
    }
    static const struct {
        const char *head, *message;
    } oip[] = {
        {"\"items\",\"shape\":[4],\"datatype\":\"INT64\"", "1 rows of 4 scores are over the limit of 3"},
        {"\"items\",\"shape\":[99,99],\"datatype\":\"INT64\"", "99 rows are over the limit of 3"},
        {"\"user\",\"shape\":[4],\"datatype\":\"INT64\"", "4 rows are over the limit of 3"},
        {"\"history\",\"shape\":[3],\"datatype\":\"INT64\"", "a row of \"history\" is longer than the limit"},
        {"\"exclude\",\"shape\":[4],\"datatype\":\"INT64\"", "a row of \"exclude\" is longer than the limit"},
        {"\"itmes\",\"shape\":[1],\"datatype\":\"INT64\"", "did you mean \"items\"?"},
        {"\"items\",\"shape\":[1],\"datatype\":\"FP32\"", "cannot be FP32"}};
    for (size_t i = 0; i < sizeof oip / sizeof *oip; i++) {
        snprintf(text, sizeof text, "{\"inputs\":[{\"name\":%s,", oip[i].head);
        s = (struct stream){.oip = oip_begin(1000000, &small, &request, &form)};
        assert_int_equal(stream_text(&s, text), COLLIDE_INVALID);
        assert_non_null(strstr(s.err.text, oip[i].message));
    }
    s = (struct stream){.v1 = json_v1_begin(REQUEST_SCORE, &small, &request)};
    memset(text, 'x', sizeof text);
    memcpy(text, "{\"user\": \"", 10);
    assert_int_equal(stream_send(&s, text, 10 + JSON_MAX_STRING_BYTES, false), COLLIDE_OK);
    assert_int_equal(stream_send(&s, "x", 1, false), COLLIDE_INVALID);
    assert_string_equal(s.err.text,
                        "this is not JSON: expected a string of at most 65536 bytes at byte 65546");
    request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_in_pieces_is_the_same_request),
        cmocka_unit_test(an_error_in_pieces_is_the_same_error),
        cmocka_unit_test(an_inference_in_pieces_is_the_same),
        cmocka_unit_test(binary_tensors_in_pieces_are_the_same),
        cmocka_unit_test(ids_of_a_large_body_are_all_it_takes),
        cmocka_unit_test(a_key_whose_value_has_not_come_is_not_kept),
        cmocka_unit_test(binary_ids_of_a_large_body_are_all_it_takes),
        cmocka_unit_test(what_is_passed_over_is_forgotten),
        cmocka_unit_test(what_is_wrong_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
