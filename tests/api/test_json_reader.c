/* The reader against cJSON and strtod. */
#include "api/json_reader.h"
#include "base/rng.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char BEFORE[] = "{\"\":";
enum { N_BEFORE = sizeof BEFORE - 1 };

/* Whether the whole text is one JSON value, as the only member of an object that ends nowhere; fed in pieces
 * of at most step bytes. */
static bool is_json(const char *text, size_t n_bytes, size_t step, struct collide_error *err)
{
    struct arena arena = {0};
    struct json_text key;
    size_t n = N_BEFORE + n_bytes, n_fed = 0, n_read = 0;
    char *all = malloc(n);
    assert_non_null(all);
    memcpy(all, BEFORE, N_BEFORE);
    memcpy(all + N_BEFORE, text, n_bytes);
    struct json_reader r = {.arena = &arena, .err = err};
    do {
        n_fed = n - n_fed < step ? n : n_fed + step;
        char *piece = malloc(n_fed - n_read + 1); /* so that a sanitizer sees reads past its end */
        assert_non_null(piece);
        memcpy(piece, all + n_read, n_fed - n_read);
        json_feed(&r, piece, n_fed - n_read, n_fed == n ? JSON_IS_LAST : 0);
        if (json_peek(&r) != '\0' || r.depth > 0)
            for (json_enter(&r, '{', 0); json_next(&r, 0);)
                if (json_is_at_key(&r, 0) && json_key(&r, &key))
                    json_pass(&r, 0);
        n_read = n_fed - json_n_unread(&r);
        free(piece);
    } while (!r.failed && n_fed < n);
    arena_free(&arena);
    free(all);
    char where[64];
    snprintf(where, sizeof where, "expected ',' or '}' at byte %zu, where it ends", n);
    return r.depth == 1 && r.place == JSON_BEHIND_VALUE && (!err || strstr(err->text, where));
}

static void every_kind_of_value_is_json(void **state)
{
    (void)state;
    static const char *const texts[] = {"null",
                                        "true",
                                        "false",
                                        "0",
                                        "-0",
                                        "1",
                                        "-1",
                                        "10",
                                        "1.5",
                                        "0.5",
                                        "1e5",
                                        "1E+5",
                                        "1e-5",
                                        "0e0",
                                        "\"\"",
                                        "\"a\"",
                                        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                                        "\"\\u0041\\ud83d\\uDE00\"",
                                        "\"\x7f\xc3\xa9\"",
                                        "[]",
                                        "[1]",
                                        "[1,2]",
                                        "[[],[[]]]",
                                        "{}",
                                        "{\"a\":1}",
                                        "{\"a\":{\"b\":[1,{}]},\"c\":null}",
                                        " \t\r\n[ 1 , 2 ] \n",
                                        "{ \"a\" : 1 , \"b\" : 2 }"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct collide_error err = {0};
        for (size_t step = 1; step < 100; step += step < 9 ? 1 : 90)
            if (!is_json(texts[i], strlen(texts[i]), step, &err))
                fail_msg("%s: %s", texts[i], err.text);
    }
}

static void what_is_not_json_is_refused_where_it_goes_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {{"", 0},           {"nul", 0},         {"nulL", 0},        {"True", 0},
                 {"+1", 0},         {".5", 0},          {"01", 1},          {"-", 1},
                 {"1.", 2},         {"1.e5", 2},        {"1e", 2},          {"1e+", 3},
                 {"0x10", 1},       {"NaN", 0},         {"-Infinity", 1},   {"[", 1},
                 {"[1", 2},         {"[1,", 3},         {"[1,]", 3},        {"[,1]", 1},
                 {"[1 2]", 3},      {"]", 0},           {"[1}", 2},         {"{", 1},
                 {"{\"a\"", 4},     {"{\"a\":", 5},     {"{\"a\" 1}", 5},   {"{a:1}", 1},
                 {"{\"a\":1,}", 7}, {"{1:2}", 1},       {"\"", 1},          {"\"a", 2},
                 {"\"\\\"", 3},     {"\"\n\"", 1},      {"'a'", 0},         {"\"\\x\"", 2},
                 {"\"\\u12\"", 5},  {"\"\\u12g4\"", 5}, {"\"\\ud800\"", 7}, {"\"\\udc00\"", 7},
                 {"1 2", 2},        {"{}{}", 2},        {"[]]", 2},         {"\xef\xbb\xbf{}", 0},
                 {"// a\n1", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char where[64];
        size_t n = strlen(cases[i].text);
        snprintf(where, sizeof where, "at byte %zu%s", N_BEFORE + cases[i].at,
                 cases[i].at == n ? ", where it ends" : "");
        for (size_t step = 1; step < 100; step += step < 9 ? 1 : 90) {
            struct collide_error err = {0};
            if (is_json(cases[i].text, n, step, &err))
                fail_msg("%s is accepted", cases[i].text);
            if (strlen(err.text) < strlen(where) ||
                strcmp(err.text + strlen(err.text) - strlen(where), where) != 0)
                fail_msg("%s: %s, not %s", cases[i].text, err.text, where);
        }
    }
}

static void nesting_ends_at_its_limit(void **state)
{
    (void)state;
    char text[2 * JSON_MAX_DEPTH + 4];
    for (size_t depth = JSON_MAX_DEPTH - 2; depth <= JSON_MAX_DEPTH; depth++) {
        struct collide_error err = {0};
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(is_json(text, 2 * depth, 7, &err), depth < JSON_MAX_DEPTH);
    }
    enum { MANY = 1 << 20 };
    char *brackets = malloc(MANY);
    assert_non_null(brackets);
    memset(brackets, '[', MANY);
    assert_false(is_json(brackets, MANY, 1000, NULL));
    free(brackets);
}

static void check_number(const char *text)
{
    struct arena arena = {0};
    struct collide_error err = {0};
    struct json_reader r = json_reader_over(text, strlen(text), &arena, &err);
    double value = -1, wanted = strtod(text, NULL);
    if (!json_number(&r, &value) || !json_finish(&r))
        fail_msg("%s: %s", text, err.text);
    if (memcmp(&value, &wanted, sizeof value) != 0)
        fail_msg("%s reads as %.17g", text, value);
}

static void numbers_read_as_strtod_reads_them(void **state)
{
    (void)state;
    static const char *const edges[] = {"0",
                                        "-0",
                                        "0.0",
                                        "-0.0e5",
                                        "9007199254740991",
                                        "9007199254740992",
                                        "9007199254740993",
                                        "1e308",
                                        "1e309",
                                        "-1e400",
                                        "1e-400",
                                        "4.9e-324",
                                        "2.2250738585072014e-308",
                                        "18446744073709551616",
                                        "123456789012345678901234567890",
                                        "0.000000000000000000000000000001",
                                        "1e22",
                                        "1e23",
                                        "1e-22",
                                        "1e-23",
                                        "999999999999999e22",
                                        "999999999999999e-22",
                                        "1e999999999999999999999",
                                        "1e-999999999999999999999",
                                        "0.1",
                                        "0.3",
                                        "1.7976931348623157e308",
                                        "100000000000000000000000e-23",
                                        "0e99999999999"};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        check_number(edges[i]);
    struct rng rng = rng_seeded(1, 1);
    for (int i = 0; i < 300000; i++) {
        char text[64];
        uint64_t bits = rng_u64(&rng);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        int digits = (int)rng_below(&rng, 18);
        if (rng_below(&rng, 2))
            value = ldexp(value, -ilogb(value) + (int)rng_below(&rng, 40));
        snprintf(text, sizeof text, rng_below(&rng, 2) ? "%.*e" : "%.*g", digits, value);
        check_number(text);
    }
}

static void strings_read_as_cjson_reads_them(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",       "\xc3\xa9",       "\\n",     "\\\"",    "\\\\", "\\u00e9",
                                         "\\u20ac", "\\ud83d\\ude00", "\\uFFFF", "\\u0001", "/",    "\\/",
                                         " "};
    struct rng rng = rng_seeded(1, 1);
    struct arena arena = {0};
    for (int i = 0; i < 20000; i++) {
        char text[512] = "\"";
        for (uint64_t n = rng_below(&rng, 20); n > 0; n--)
            strcat(text, pieces[rng_below(&rng, sizeof pieces / sizeof *pieces)]);
        strcat(text, "\"");
        struct collide_error err = {0};
        struct json_text read;
        struct json_reader r = json_reader_over(text, strlen(text), &arena, &err);
        if (!json_string(&r, &read) || !json_finish(&r))
            fail_msg("%s: %s", text, err.text);
        cJSON *oracle = cJSON_Parse(text);
        assert_non_null(oracle);
        assert_int_equal(read.n_bytes, strlen(oracle->valuestring));
        assert_memory_equal(read.bytes, oracle->valuestring, read.n_bytes);
        cJSON_Delete(oracle);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

static void a_string_without_escapes_is_not_copied(void **state)
{
    (void)state;
    static const char text[] = "\"seventeen\"";
    struct arena arena = {0};
    struct json_text read;
    struct json_reader r = json_reader_over(text, sizeof text - 1, &arena, NULL);
    assert_true(json_string(&r, &read));
    assert_ptr_equal(read.bytes, text + 1);
    assert_null(arena.current);
}

static void a_failed_reader_stays_failed(void **state)
{
    (void)state;
    static const char text[] = "[1,x,3]";
    struct arena arena = {0};
    struct collide_error err = {0};
    double number;
    bool truth;
    struct json_text read;
    struct json_reader r = json_reader_over(text, sizeof text - 1, &arena, &err);
    int n = 0;
    for (json_enter(&r, '[', 0); json_next(&r, 0); n++)
        json_number(&r, &number);
    assert_true(r.failed);
    assert_int_equal(n, 2);
    assert_string_equal(err.text, "this is not JSON: expected a digit at byte 3");
    assert_false(json_number(&r, &number) || json_string(&r, &read) || json_bool(&r, &truth) ||
                 json_next(&r, 0) || json_key(&r, &read));
    assert_string_equal(err.text, "this is not JSON: expected a digit at byte 3");
}

static void integers_are_exact_and_nothing_else_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } integers[] = {{"0", 0},
                    {" 17", 17},
                    {"9007199254740993", 9007199254740993},
                    {"9999999999999999999", 9999999999999999999u},
                    {"18446744073709551615", UINT64_MAX}};
    static const char *const others[] = {"",
                                         "-0",
                                         "-1",
                                         "1.0",
                                         "1e3",
                                         "1E3",
                                         "01",
                                         "00",
                                         "\"1\"",
                                         "null",
                                         "[1]",
                                         "18446744073709551616",
                                         "18446744073709551625",
                                         "100000000000000000000"};
    uint64_t value;
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        struct json_reader r = json_reader_over(integers[i].text, strlen(integers[i].text), NULL, NULL);
        assert_true(json_u64(&r, &value) && json_finish(&r));
        assert_true(value == integers[i].value);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct json_reader r = json_reader_over(others[i], strlen(others[i]), NULL, NULL);
        assert_false(json_u64(&r, &value));
        assert_false(r.failed);
        assert_ptr_equal(r.at, others[i]);
    }
}

enum { LIST_MAX = 200 };

/* n numbers of up to n_digits digits, drawn from what all of them have: a copy without a byte to spare. */
static char *draw_list(struct rng *rng, uint64_t *values, size_t n, int n_digits, size_t *n_bytes)
{
    char text[20 * LIST_MAX];
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        values[i] = rng_u64(rng) % (uint64_t)pow(10, 1 + (double)rng_below(rng, (uint64_t)n_digits));
        const char *separator = i == 0 ? "" : rng_below(rng, 2) ? ", " : ",";
        at += (size_t)sprintf(text + at, "%s%" PRIu64, separator, values[i]);
    }
    text[at++] = ']';
    char *copy = malloc(at);
    assert_non_null(copy);
    *n_bytes = at;
    return memcpy(copy, text, at);
}

static void small_integers_of_every_length_are_read(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(5, 1);
    for (int round = 0; round < 20000; round++) {
        uint64_t wanted[LIST_MAX], values[LIST_MAX];
        size_t n_bytes, n = 1 + rng_below(&rng, LIST_MAX), max = 1 + rng_below(&rng, LIST_MAX);
        char *text = draw_list(&rng, wanted, n, 1 + round % 15, &n_bytes);
        struct json_reader r = json_reader_over(text, n_bytes, NULL, NULL);
        size_t n_read = json_small_integers(&r, values, max), n_due = n < max ? n : max;
        assert_int_equal(n_read, n_due);
        assert_memory_equal(values, wanted, n_due * sizeof *values);
        assert_int_equal(*r.at, n_due == n ? ']' : ',');
        free(text);
    }
}

#define LONG_TAIL                                                                                            \
    ",9,87,654,3210,98765,432109,8765432,10987654,321098765,4321098765,43210987654,321098765432,1"

/* n times the number, then something else; an odd n has more behind that. */
static void check_that_it_is_left(const char *other, uint64_t wanted, size_t n)
{
    char text[2048];
    uint64_t values[LIST_MAX];
    int n_bytes = 0;
    for (size_t k = 0; k < n; k++)
        n_bytes += sprintf(text + n_bytes, "%s%" PRIu64, k ? "," : "", wanted);
    const char *behind = text + n_bytes;
    n_bytes += sprintf(text + n_bytes, ",%s,12345678%s]", other, n % 2 ? LONG_TAIL : "");
    struct json_reader r = json_reader_over(text, (size_t)n_bytes, NULL, NULL);
    assert_int_equal(json_small_integers(&r, values, LIST_MAX), n);
    for (size_t k = 0; k < n; k++)
        assert_true(values[k] == wanted);
    assert_ptr_equal(r.at, behind);
}

/* Whatever stands in their midst, and wherever among the bytes that are read at once. */
static void what_is_no_small_integer_is_left_to_others(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",      "-1",    "1.5",  "1e3",   "01",  "1 ", "/1",  ":1",
        "\"1\"", "1\x80", "\xb1", "1\xff", "  1", " ",  "\t1", "1234567890123456"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (int n_digits = 1; n_digits <= 15; n_digits++)
            for (size_t n = 1; n < 40; n++)
                check_that_it_is_left(others[i], (uint64_t)pow(10, n_digits - 1), n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_json),
        cmocka_unit_test(what_is_not_json_is_refused_where_it_goes_wrong),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(numbers_read_as_strtod_reads_them),
        cmocka_unit_test(integers_are_exact_and_nothing_else_is_one),
        cmocka_unit_test(small_integers_of_every_length_are_read),
        cmocka_unit_test(what_is_no_small_integer_is_left_to_others),
        cmocka_unit_test(strings_read_as_cjson_reads_them),
        cmocka_unit_test(a_string_without_escapes_is_not_copied),
        cmocka_unit_test(a_failed_reader_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
