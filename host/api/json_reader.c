#include "api/json_reader.h"

#include "base/error.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct json_reader json_reader_over(const char *text, size_t n_bytes, struct arena *arena,
                                    struct collide_error *err)
{
    return (struct json_reader){.text = text, .at = text, .end = text + n_bytes, .arena = arena, .err = err};
}

static bool fail(struct json_reader *r, const char *expected)
{
    if (!r->failed)
        error_set(r->err, COLLIDE_INVALID, "this is not JSON: expected %s at byte %zu of %zu", expected,
                  (size_t)(r->at - r->text), (size_t)(r->end - r->text));
    r->failed = true;
    r->at = r->end;
    return false;
}

char json_peek(struct json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
    return r->at < r->end ? *r->at : '\0';
}

static bool take(struct json_reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

bool json_open(struct json_reader *r, char bracket)
{
    json_peek(r);
    if (!take(r, bracket))
        return fail(r, bracket == '{' ? "'{'" : "'['");
    r->is_first = true;
    return true;
}

bool json_next(struct json_reader *r, char closing_bracket)
{
    bool is_first = r->is_first;
    r->is_first = false;
    json_peek(r);
    if (r->failed || take(r, closing_bracket))
        return false;
    return is_first || take(r, ',') || fail(r, closing_bracket == '}' ? "',' or '}'" : "',' or ']'");
}

/* What stands for the character c behind a backslash; '\0': none does. */
static char unescaped(char c)
{
    static const char codes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *found = c ? strchr(codes, c) : NULL;
    return found ? meanings[found - codes] : '\0';
}

static bool read_hex(struct json_reader *r, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        char c = r->at < r->end ? *r->at : '\0', lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            value = value * 16 + (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (uint32_t)(lower - 'a') + 10;
        else
            return fail(r, "four hexadecimal digits");
    }
    *out = value;
    return true;
}

/* The code point behind "\u"; beyond the first 65536 it takes two of them. */
static bool read_code_point(struct json_reader *r, uint32_t *out)
{
    uint32_t high, low;
    if (!read_hex(r, &high))
        return false;
    *out = high;
    if (high < 0xd800 || high > 0xdfff)
        return true;
    if (high > 0xdbff || !take(r, '\\') || !take(r, 'u') || !read_hex(r, &low) || low < 0xdc00 ||
        low > 0xdfff)
        return fail(r, "both halves of a surrogate pair");
    *out = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static size_t print_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0) | code);
    return n;
}

/* The rest of a string from its first backslash on; the part before it is copied. */
static bool read_escaped(struct json_reader *r, const char *begin, struct json_text *out)
{
    const char *end = r->at;
    while (end < r->end && *end != '"')
        end += *end == '\\' && end + 1 < r->end ? 2 : 1;
    char *bytes =
        arena_alloc(r->arena, (size_t)(end - begin), 1); /* escapes are longer than what they mean */
    if (!bytes) {
        fail(r, "less");
        error_no_memory(r->err, "a string");
        return false;
    }
    size_t n = (size_t)(r->at - begin);
    memcpy(bytes, begin, n);
    while (r->at < r->end && *r->at != '"' && (unsigned char)*r->at >= 0x20) {
        uint32_t code;
        if (!take(r, '\\')) {
            bytes[n++] = *r->at++;
        } else if (take(r, 'u')) {
            if (!read_code_point(r, &code))
                return false;
            n += print_utf8(bytes + n, code);
        } else {
            bytes[n] = r->at < r->end ? unescaped(*r->at) : '\0';
            if (!bytes[n++])
                return fail(r, "an escape: one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
            r->at++;
        }
    }
    *out = (struct json_text){bytes, n};
    return take(r, '"') || fail(r, "the end of a string");
}

bool json_string(struct json_reader *r, struct json_text *out)
{
    json_peek(r);
    if (!take(r, '"'))
        return fail(r, "a string");
    const char *begin = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20)
        r->at++;
    if (r->at < r->end && *r->at == '\\')
        return read_escaped(r, begin, out);
    *out = (struct json_text){begin, (size_t)(r->at - begin)};
    return take(r, '"') || fail(r, "the end of a string");
}

bool json_key(struct json_reader *r, struct json_text *out)
{
    if (!json_string(r, out))
        return false;
    json_peek(r);
    return take(r, ':') || fail(r, "':'");
}

/* digits * 10^exponent */
struct decimal {
    uint64_t digits; /* wrong beyond 19 of them */
    unsigned n_digits;
    long exponent;
};

static bool read_digits(struct json_reader *r, struct decimal *d)
{
    const char *begin = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        d->digits = d->digits * 10 + (uint64_t)(*r->at - '0');
        d->n_digits += d->n_digits > 0 || *r->at != '0';
    }
    return r->at > begin || fail(r, "a digit");
}

static bool read_exponent(struct json_reader *r, struct decimal *d)
{
    struct decimal e = {0};
    bool is_negative = take(r, '-');
    if (!is_negative)
        take(r, '+');
    if (!read_digits(r, &e))
        return false;
    long size = e.n_digits < 6 ? (long)e.digits : 1000000;
    d->exponent += is_negative ? -size : size;
    return true;
}

static bool read_decimal(struct json_reader *r, struct decimal *d)
{
    take(r, '-');
    if (take(r, '0')) {
        if (r->at < r->end && *r->at >= '0' && *r->at <= '9')
            return fail(r, "no digit behind a leading 0");
    } else if (!read_digits(r, d)) {
        return false;
    }
    if (take(r, '.')) {
        const char *point = r->at;
        if (!read_digits(r, d))
            return false;
        d->exponent -= r->at - point;
    }
    return (!take(r, 'e') && !take(r, 'E')) || read_exponent(r, d);
}

enum { MAX_NUMBER_CHARS = 63 };

bool json_number(struct json_reader *r, double *out)
{
    static const double ten_to[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal d = {0};
    json_peek(r);
    const char *begin = r->at;
    if (!read_decimal(r, &d))
        return false;
    /* Two exact doubles: their product or quotient is rounded once, as strtod would. */
    if (d.n_digits <= 15 && d.exponent >= -22 && d.exponent <= 22) {
        double size = (double)d.digits;
        size = d.exponent < 0 ? size / ten_to[-d.exponent] : size * ten_to[d.exponent];
        *out = *begin == '-' ? -size : size;
        return true;
    }
    char copy[MAX_NUMBER_CHARS + 1] = {0};
    size_t n = (size_t)(r->at - begin);
    if (n > MAX_NUMBER_CHARS)
        return fail(r, "a number of at most 63 characters");
    memcpy(copy, begin, n);
    *out = strtod(copy, NULL);
    return true;
}

/* Up to eight digits, all at once, of at least eight characters: their number, and where they end. */
static const char *take_digits(const char *at, uint64_t *out)
{
    uint64_t chars;
    memcpy(&chars, at, sizeof chars);
    uint64_t digits = le64toh(chars) ^ 0x3030303030303030;
    uint64_t others = (digits | (digits + 0x7676767676767676)) & 0x8080808080808080;
    int n_digits = others ? __builtin_ctzll(others) / 8 : 8;
    if (n_digits == 0)
        return at;
    digits <<= 64 - 8 * n_digits; /* zeros before them */
    digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
    digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffff;
    *out = (digits * 10000 + (digits >> 32)) & 0xffffffff;
    return at + n_digits;
}

size_t json_small_integers(struct json_reader *r, uint64_t *out, size_t max)
{
    size_t n = 0;
    json_peek(r);
    for (const char *at = r->at; n < max; at = r->at + 1) {
        const char *begin = at;
        uint64_t value = 0;
        if (r->end - at >= 8)
            at = take_digits(at, &value);
        for (; at < r->end && at - begin < 15 && *at >= '0' && *at <= '9'; at++)
            value = value * 10 + (uint64_t)(*at - '0');
        bool is_plain = at > begin && at < r->end && (*at == ',' || *at == ']' || *at == '}') &&
                        (*begin != '0' || at == begin + 1);
        if (!is_plain)
            break;
        out[n++] = value;
        r->at = at;
        if (*at != ',')
            break;
    }
    return n;
}

bool json_u64(struct json_reader *r, uint64_t *out)
{
    enum { SAFE_DIGITS = 19 }; /* of a number below 2^64, whatever they are */
    uint64_t value = 0;
    json_peek(r);
    const char *at = r->at;
    for (; at < r->end && *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (at - r->at >= SAFE_DIGITS && value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    bool is_float = at < r->end && (*at == '.' || *at == 'e' || *at == 'E');
    if (at == r->at || is_float || (*r->at == '0' && at - r->at > 1))
        return false;
    r->at = at;
    *out = value;
    return true;
}

static bool read_word(struct json_reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
        return fail(r, word);
    r->at += n;
    return true;
}

bool json_bool(struct json_reader *r, bool *out)
{
    *out = json_peek(r) == 't';
    return read_word(r, *out ? "true" : "false");
}

static void skip_value(struct json_reader *r, int depth)
{
    struct json_text text;
    double number;
    char first = json_peek(r), closing = first == '{' ? '}' : ']';
    switch (first) {
    case '{':
    case '[':
        if (depth == JSON_MAX_DEPTH)
            fail(r, "less nesting");
        for (json_open(r, first); json_next(r, closing);) {
            if (first == '{')
                json_key(r, &text);
            skip_value(r, depth + 1);
        }
        break;
    case '"':
        json_string(r, &text);
        break;
    case 't':
        read_word(r, "true");
        break;
    case 'f':
        read_word(r, "false");
        break;
    case 'n':
        read_word(r, "null");
        break;
    default:
        if (first == '-' || (first >= '0' && first <= '9'))
            json_number(r, &number);
        else
            fail(r, "a value");
    }
}

void json_skip(struct json_reader *r)
{
    skip_value(r, 0);
}

bool json_finish(struct json_reader *r)
{
    json_peek(r);
    return r->at == r->end || fail(r, "nothing more");
}
