/* Numbers as text, against strtof and printf. */
#include "base/number.h"
#include "base/rng.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_RANDOM = 3000000, STRIDE = 10007 };

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Terminated; fails when more is written than the header says. */
static void print_f32(char text[NUMBER_MAX_CHARS + 1], float value)
{
    char guarded[NUMBER_MAX_CHARS + 8];
    memset(guarded, '#', sizeof guarded);
    size_t n = number_print_f32(guarded, value);
    assert_in_range(n, 1, NUMBER_MAX_CHARS);
    for (size_t i = NUMBER_MAX_CHARS; i < sizeof guarded; i++)
        assert_int_equal(guarded[i], '#');
    memcpy(text, guarded, n);
    text[n] = '\0';
}

static const char *skip_digits(const char *at)
{
    return at + strspn(at, "0123456789");
}

/* By the grammar of RFC 8259. */
static bool is_json_number(const char *at)
{
    at += *at == '-';
    const char *end = skip_digits(at);
    if (end == at || (at[0] == '0' && end > at + 1))
        return false;
    if (*end == '.') {
        at = end + 1;
        end = skip_digits(at);
        if (end == at)
            return false;
    }
    if (*end == 'e' || *end == 'E') {
        at = end + 1;
        at += *at == '-' || *at == '+';
        end = skip_digits(at);
        if (end == at)
            return false;
    }
    return *end == '\0';
}

/* From the first digit that is not 0 to the last that is not. */
static int significant_digits(const char *text)
{
    int n = 0, zeros = 0;
    for (const char *at = text; *at && *at != 'e'; at++) {
        if (*at < '0' || *at > '9' || (n == 0 && *at == '0'))
            continue;
        n++;
        zeros = *at == '0' ? zeros + 1 : 0;
    }
    return n - zeros;
}

static void check(float value)
{
    char text[NUMBER_MAX_CHARS + 1];
    print_f32(text, value);
    float back = strtof(text, NULL);
    if (back != value || !is_json_number(text) || significant_digits(text) > 9)
        fail_msg("%a is printed as %s", (double)value, text);
}

static void every_exponent_and_edge_reads_back(void **state)
{
    (void)state;
    for (uint32_t exponent = 0; exponent < 255; exponent++)
        for (uint32_t offset = 0; offset < 64; offset++) {
            uint32_t first = exponent << 23, last = first | 0x7fffff;
            check(float_of(first + offset));
            check(float_of(last - offset));
            check(-float_of(first + (offset << 16) * 2 + offset));
        }
}

/* Of all floats the one whose shortest candidate, 7.038531e-26, is so near to halfway to the next float that
 * a double takes it for the right one. */
static void the_float_nearest_to_a_halfway_decimal_reads_back(void **state)
{
    (void)state;
    check(float_of(0x15ae43fe));
}

static void random_bit_patterns_read_back(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 1);
    for (int i = 0; i < N_RANDOM; i++) {
        float value = float_of((uint32_t)rng_u64(&rng));
        if (isfinite(value))
            check(value);
    }
}

/* Decimals of few digits lie nearest to halfway points, where rounding twice would go wrong. */
static void short_decimals_read_back_as_themselves(void **state)
{
    (void)state;
    for (int exponent = -44; exponent <= 37; exponent++)
        for (int digits = 1; digits < 1000; digits++) {
            char written[32];
            snprintf(written, sizeof written, "%de%d", digits, exponent - 2);
            float value = strtof(written, NULL);
            char text[NUMBER_MAX_CHARS + 1];
            print_f32(text, value);
            assert_true(strtof(text, NULL) == value);
            assert_in_range(significant_digits(text), 0, 3);
        }
}

/* The shortest decimal that reads back; how many digits it has. */
static int shortest_of_printf(float value, char text[32])
{
    for (int n = 1;; n++) {
        snprintf(text, 32, "%.*e", n - 1, (double)value);
        if (strtof(text, NULL) == value)
            return n;
    }
}

/* Of two decimals as near to the value, printf takes the even one. */
static void digits_are_as_few_and_as_near_as_those_of_printf(void **state)
{
    (void)state;
    for (uint32_t bits = 1; bits < 0x7f800000; bits += STRIDE) {
        float value = float_of(bits);
        char text[NUMBER_MAX_CHARS + 1], wanted[32];
        print_f32(text, value);
        int n = shortest_of_printf(value, wanted);
        double miss = fabs(strtod(text, NULL) - (double)value),
               least = fabs(strtod(wanted, NULL) - (double)value);
        if (significant_digits(text) != n || miss > least * (1 + 1e-6))
            fail_msg("%a is printed as %s, not as %s", (double)value, text, wanted);
    }
}

/* What reads back reaches down from a power of two half as far as up: the decimal nearest to 2^-96 does not,
 * the next one up does. */
static void powers_of_two_have_no_more_digits_than_those_of_printf(void **state)
{
    (void)state;
    for (int exponent = -149; exponent < 128; exponent++) {
        float value = ldexpf(1, exponent);
        char text[NUMBER_MAX_CHARS + 1], wanted[32];
        check(value);
        print_f32(text, value);
        assert_true(significant_digits(text) <= shortest_of_printf(value, wanted));
    }
    char text[NUMBER_MAX_CHARS + 1];
    print_f32(text, 0x1p-96f);
    assert_string_equal(text, "1.2621775e-29");
}

/* A decimal halfway between two floats is read as the even one, and is then its shortest. */
static void ties_read_back_as_the_even_float(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {{33555808.0f, "33555810"}, {33555812.0f, "33555812"}, {33560272.0f, "33560270"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NUMBER_MAX_CHARS + 1];
        print_f32(text, cases[i].value);
        assert_string_equal(text, cases[i].text);
        assert_true(strtof(text, NULL) == cases[i].value);
    }
}

/* Anything now and then: zeros, what is no number, denormals, either sign. */
static void draw_values(struct rng *rng, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)rng_u64(rng), most = (uint32_t)rng_below(rng, 33);
        values[i] = rng_below(rng, 3) ? (float)rng_normal(rng) : float_of(most < 32 ? bits << most : 0);
    }
}

static void lists_are_printed_as_their_numbers_are(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(4, 1);
    for (size_t n = 0; n < 200; n++) {
        float values[200];
        char list[200 * (NUMBER_MAX_CHARS + 1)], wanted[sizeof list];
        size_t n_chars = 0;
        draw_values(&rng, values, n);
        for (size_t i = 0; i < n; i++) {
            if (i)
                wanted[n_chars++] = ',';
            n_chars += number_print_f32(wanted + n_chars, values[i]);
        }
        assert_int_equal(number_print_f32s(list, values, n), n_chars);
        assert_memory_equal(list, wanted, n_chars);
    }
}

static void numbers_look_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {{0.0f, "0"},
                 {-0.0f, "0"},
                 {1.0f, "1"},
                 {-1.5f, "-1.5"},
                 {0.1f, "0.1"},
                 {12000.0f, "12000"},
                 {123456792.0f, "123456790"},
                 {1e9f, "1e9"},
                 {0.00001f, "0.00001"},
                 {0.000001f, "1e-6"},
                 {1.5e-7f, "1.5e-7"},
                 {0x1p-149f, "1e-45"},
                 {0x1.fffffep127f, "3.4028235e38"},
                 {(float)INFINITY, "null"},
                 {(float)NAN, "null"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NUMBER_MAX_CHARS + 1];
        print_f32(text, cases[i].value);
        assert_string_equal(text, cases[i].text);
    }
}

static void integers_print_as_printf_does(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(3, 1);
    uint64_t edges[] = {0, 9, 10, 99, 100, UINT32_MAX, (uint64_t)1 << 53, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < 1000; i++) {
        uint64_t value = i < sizeof edges / sizeof *edges ? edges[i] : rng_u64(&rng) >> rng_below(&rng, 64);
        char text[NUMBER_MAX_CHARS + 1], wanted[32];
        text[number_print_u64(text, value)] = '\0';
        snprintf(wanted, sizeof wanted, "%" PRIu64, value);
        assert_string_equal(text, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exponent_and_edge_reads_back),
        cmocka_unit_test(the_float_nearest_to_a_halfway_decimal_reads_back),
        cmocka_unit_test(random_bit_patterns_read_back),
        cmocka_unit_test(short_decimals_read_back_as_themselves),
        cmocka_unit_test(digits_are_as_few_and_as_near_as_those_of_printf),
        cmocka_unit_test(powers_of_two_have_no_more_digits_than_those_of_printf),
        cmocka_unit_test(ties_read_back_as_the_even_float),
        cmocka_unit_test(lists_are_printed_as_their_numbers_are),
        cmocka_unit_test(numbers_look_as_people_write_them),
        cmocka_unit_test(integers_print_as_printf_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
