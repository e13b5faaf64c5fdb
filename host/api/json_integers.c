#include "api/json_scan.h"

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

/* The top bits of characters, given as words of them xored with zeros, that are no digits. */
static uint64_t others_among(uint64_t digits)
{
    return (digits | (digits + 0x7676767676767676)) & 0x8080808080808080;
}

static uint64_t digits_at(const char *at)
{
    return word_at(at) ^ 0x3030303030303030;
}

/* How many of WORD characters are digits before one that is none. */
static size_t count_digits(const char *at)
{
    uint64_t others = others_among(digits_at(at));
    return others ? (size_t)__builtin_ctzll(others) / 8 : WORD;
}

/* The number that n of WORD characters are, 1 at least: all at once. False: not all of them are digits. */
static bool read_word(const char *at, size_t n, uint64_t *out)
{
    uint64_t digits = digits_at(at) << (64 - 8 * n); /* zeros before them */
    bool are_digits = others_among(digits) == 0;
    digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
    digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffff;
    *out = (digits * 10000 + (digits >> 32)) & 0xffffffff;
    return are_digits;
}

/* The same of n of 2 * WORD, of which a 0 is none but alone. */
static bool read_digits(const char *at, size_t n, uint64_t *out)
{
    static const uint64_t ten_to[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint64_t last = 0;
    if (n == 0 || n > DIGITS_MAX || (*at == '0' && n > 1))
        return false;
    if (n <= WORD)
        return read_word(at, n, out);
    bool are_digits = read_word(at, WORD, out) && read_word(at + WORD, n - WORD, &last);
    *out = *out * ten_to[n - WORD] + last;
    return are_digits;
}

/* A number that ends at a comma, or with the list or object; *at: behind it. */
static bool read_one(const char **at, const char *end, uint64_t *out)
{
    char rest[2 * WORD] = {0};
    const char *digits = *at;
    if (end - *at < 2 * WORD)
        digits = memcpy(rest, *at, (size_t)(end - *at));
    size_t n = count_digits(digits);
    if (n == WORD)
        n += count_digits(digits + WORD);
    if (!read_digits(digits, n, out) || (digits[n] != ',' && digits[n] != ']' && digits[n] != '}'))
        return false;
    *at += n;
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
        uint64_t commas = commas_among(block);
        if (commas == 0)
            break;
        for (; commas; commas &= commas - 1) {
            const char *begin = pass_space(*at, end), *comma = block + __builtin_ctzll(commas);
            if (n == max || !read_digits(begin, (size_t)(comma - begin), &out[n]))
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
        size_t n_many = read_many(&at, r->end, out + n, max - n);
        n += n_many;
        r->at = at - 1;
    }
    if (n > 0)
        r->place = JSON_BEHIND_VALUE;
    return n;
}
