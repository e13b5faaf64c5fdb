#include "api/json_scan.h"
#include "base/least.h"

#include <endian.h>
#include <string.h>

enum { WORD = 8, BLOCK = 64, DIGITS_MAX = 15 };

static uint64_t word_at(const char *at)
{
    uint64_t chars;
    memcpy(&chars, at, sizeof chars);
    return le64toh(chars);
}

/* Bit i: character i of BLOCK is a comma. */
static uint64_t commas_among(const char *at)
{
    static const uint64_t commas = 0x2c2c2c2c2c2c2c2c, low = 0x7f7f7f7f7f7f7f7f;
    uint64_t all = 0;
    for (unsigned i = 0; i < BLOCK; i += WORD) {
        uint64_t chars = word_at(at + i) ^ commas;
        uint64_t are_zero = ~(((chars & low) + low) | chars | low);
        all |= (are_zero >> 7) * 0x0102040810204080 >> (BLOCK - WORD) << i;
    }
    return all;
}

static uint64_t digits_at(const char *at)
{
    return word_at(at) ^ 0x3030303030303030;
}

/* 0 if all characters of digits_at are digits; else the lowest bit that is set is the top one of the first
 * that is none. */
static uint64_t others_among(uint64_t digits)
{
    return (digits | (digits + 0x7676767676767676)) & 0x8080808080808080;
}

static size_t count_digits(uint64_t others)
{
    return others ? (size_t)__builtin_ctzll(others) / 8 : WORD;
}

/* Of eight digits. */
static uint64_t number_of(uint64_t digits)
{
    digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
    digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffff;
    return (digits * 10000 + (digits >> 32)) & 0xffffffff;
}

/* The first n digits, 1 at least, with zeros before them. */
static uint64_t first_digits(uint64_t digits, size_t n)
{
    return digits << (64 - 8 * n);
}

static bool is_small(const char *at, size_t n)
{
    return n > 0 && n <= DIGITS_MAX && (*at != '0' || n == 1);
}

/* The number that n of 2 * WORD characters are. False: they are no small integer. */
static bool read_small(const char *at, size_t n, uint64_t *out)
{
    static const uint64_t ten_to[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    if (!is_small(at, n))
        return false;
    uint64_t first = first_digits(digits_at(at), least(n, WORD));
    *out = number_of(first);
    if (n <= WORD)
        return others_among(first) == 0;
    uint64_t last = first_digits(digits_at(at + WORD), n - WORD);
    *out = *out * ten_to[n - WORD] + number_of(last);
    return (others_among(first) | others_among(last)) == 0;
}

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Digit by digit, and how many there are; 0: they are no small integer. */
static size_t read_slowly(const char *at, const char *end, uint64_t *out)
{
    size_t n = 0;
    uint64_t value = 0;
    for (; is_digit(at + n, end); n++)
        value = value * 10 + (uint64_t)(at[n] - '0');
    *out = value;
    return is_small(at, n) ? n : 0;
}

/* The same at once, where enough characters follow. */
static size_t read_at_once(const char *at, const char *end, uint64_t *out)
{
    if (end - at < WORD)
        return read_slowly(at, end, out);
    uint64_t digits = digits_at(at), others = others_among(digits);
    size_t n = count_digits(others);
    if (n < WORD) {
        if (!is_small(at, n))
            return 0;
        *out = number_of(first_digits(digits, n));
        return n;
    }
    if (end - at < 2 * WORD)
        return read_slowly(at, end, out);
    n += count_digits(others_among(digits_at(at + WORD)));
    return read_small(at, n, out) ? n : 0;
}

/* A number that ends at a comma or with the list; *at: behind it. */
static bool read_one(const char **at, const char *end, uint64_t *out)
{
    size_t n = read_at_once(*at, end, out);
    const char *behind = *at + n;
    if (n == 0 || behind == end || (*behind != ',' && *behind != ']'))
        return false;
    *at = behind;
    return true;
}

static const char *pass_space(const char *at, const char *end)
{
    return at + (at < end && *at == ' ');
}

/* Where a number ends depends on no other: commas are found first, then many are read side by side. Those
 * that end in a comma, as long as so much follows; *at: behind the last one's. */
static size_t read_many(const char **at, const char *end, uint64_t *out, size_t max)
{
    size_t n = 0;
    for (const char *block = *at; end - block >= BLOCK + 1 + DIGITS_MAX + 1; block += BLOCK) {
        uint64_t commas = is_digit(pass_space(*at, end), end) ? commas_among(block) : 0;
        if (commas == 0)
            break;
        for (; commas; commas &= commas - 1) {
            const char *begin = pass_space(*at, end), *comma = block + __builtin_ctzll(commas);
            if (n == max || !read_small(begin, (size_t)(comma - begin), &out[n]))
                return n;
            n++;
            *at = comma + 1;
        }
    }
    return n;
}

size_t json_small_integers(struct json_reader *r, uint64_t *out, size_t max)
{
    json_peek(r);
    size_t n = 0;
    for (const char *at = r->at; n < max && read_one(&at, r->end, &out[n]); at = pass_space(at, r->end)) {
        n++;
        r->at = at;
        if (*at++ != ',')
            break;
        n += read_many(&at, r->end, out + n, max - n);
        r->at = at - 1;
    }
    if (n > 0)
        r->place = JSON_BEHIND_VALUE;
    return n;
}
