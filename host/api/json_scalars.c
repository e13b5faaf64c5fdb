#include "api/json_scan.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

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
            return json_fail(r, "four hexadecimal digits");
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
    if (high > 0xdbff || !json_take(r, '\\') || !json_take(r, 'u') || !read_hex(r, &low) || low < 0xdc00 ||
        low > 0xdfff)
        return json_fail(r, "both halves of a surrogate pair");
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

/* The string that is next, from behind its quotes; the reader is behind the first. Whether it is all there.
 */
static inline bool find_string(struct json_reader *r, struct json_text *out, bool *has_escapes)
{
    if (!json_take(r, '"'))
        return json_fail(r, "a string");
    const char *end = r->at;
    while (end < r->end && *end != '"' && *end != '\\' && (unsigned char)*end >= 0x20)
        end++;
    *has_escapes = end < r->end && *end == '\\';
    while (end < r->end && *end != '"' && (unsigned char)*end >= 0x20)
        end += *end == '\\' && end + 1 < r->end && (unsigned char)end[1] >= 0x20 ? 2 : 1;
    *out = (struct json_text){r->at, (size_t)(end - r->at)};
    if (out->n_bytes > JSON_MAX_STRING_BYTES) {
        r->at += JSON_MAX_STRING_BYTES;
        return json_fail(r, "a string of at most 65536 bytes");
    }
    return end < r->end || r->is_last || json_starve(r);
}

/* A string's bytes without their escapes, at out unless that is NULL: how many there are. */
static bool unescape(struct json_reader *r, const char *end, char *out, size_t *n_bytes)
{
    char piece[4];
    size_t n = 0, n_piece;
    for (; r->at < end; n += n_piece) {
        uint32_t code;
        n_piece = 1;
        if (!json_take(r, '\\')) {
            piece[0] = *r->at++;
        } else if (json_take(r, 'u')) {
            if (!read_code_point(r, &code))
                return false;
            n_piece = print_utf8(piece, code);
        } else {
            piece[0] = r->at < r->end ? unescaped(*r->at) : '\0';
            if (!piece[0])
                return json_fail(r, "an escape: one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
            r->at++;
        }
        if (out)
            memcpy(out + n, piece, n_piece);
    }
    *n_bytes = n;
    return true;
}

static char *room_for(struct json_reader *r, size_t n_bytes)
{
    char *bytes = arena_alloc(r->arena, n_bytes, 1);
    if (!bytes) {
        r->is_last = true;
        json_fail(r, "less");
        error_no_memory(r->err, "a string");
    }
    return bytes;
}

enum string_use { PASS_STRING, BORROW_STRING, KEEP_STRING };

static bool end_string(struct json_reader *r, const char *end)
{
    r->at = end;
    return json_take(r, '"') || json_fail(r, "the end of a string");
}

/* A string with escapes, or one that is to outlive its text. */
static bool copy_string(struct json_reader *r, struct json_text raw, bool has_escapes, struct json_text *out)
{
    const char *end = raw.bytes + raw.n_bytes;
    char *bytes = room_for(r, raw.n_bytes); /* escapes are longer than what they mean */
    if (!bytes)
        return false;
    *out = (struct json_text){bytes, raw.n_bytes};
    if (!has_escapes)
        memcpy(bytes, raw.bytes, raw.n_bytes);
    else if (!unescape(r, end, bytes, &out->n_bytes))
        return false;
    return end_string(r, end);
}

/* A string that has been found. */
static inline bool take_string(struct json_reader *r, struct json_text raw, bool has_escapes,
                               enum string_use use, struct json_text *out)
{
    const char *end = raw.bytes + raw.n_bytes;
    *out = raw;
    if (use == PASS_STRING)
        return (!has_escapes || unescape(r, end, NULL, &out->n_bytes)) && end_string(r, end);
    if (has_escapes || (use == KEEP_STRING && !r->stays))
        return copy_string(r, raw, has_escapes, out);
    return end_string(r, end);
}

static inline bool read_string(struct json_reader *r, enum string_use use, struct json_text *out)
{
    bool has_escapes = false;
    struct json_text raw;
    return find_string(r, &raw, &has_escapes) && take_string(r, raw, has_escapes, use, out);
}

bool json_pass_string(struct json_reader *r)
{
    struct json_text text;
    json_begin_scalar(r);
    return read_string(r, PASS_STRING, &text) && json_end_value(r);
}

bool json_string(struct json_reader *r, struct json_text *out)
{
    json_begin_scalar(r);
    return read_string(r, KEEP_STRING, out) && json_end_value(r);
}

/* From a key's closing quote to its value, of which something must have come. */
static bool pass_colon(struct json_reader *r, const char *end)
{
    if (!end_string(r, end))
        return false;
    json_peek(r);
    if (!json_take(r, ':'))
        return json_fail(r, "':'");
    json_peek(r);
    return r->is_starved ? json_starve(r) : true;
}

/* Nothing is kept of a key before it is sure that it need not be read once more. */
static bool read_key(struct json_reader *r, enum string_use use, struct json_text *out)
{
    bool has_escapes = false;
    struct json_text raw;
    json_peek(r);
    r->token = r->at;
    if (!find_string(r, &raw, &has_escapes))
        return false;
    const char *begin = r->at;
    if (!pass_colon(r, raw.bytes + raw.n_bytes))
        return false;
    const char *value = r->at;
    *out = raw;
    r->at = begin;
    if (has_escapes && !take_string(r, raw, has_escapes, use, out))
        return false;
    r->at = value;
    r->place = JSON_AT_VALUE;
    return true;
}

bool json_pass_key(struct json_reader *r)
{
    struct json_text text;
    return read_key(r, PASS_STRING, &text);
}

bool json_key(struct json_reader *r, struct json_text *out)
{
    return read_key(r, BORROW_STRING, out);
}

struct json_text json_keep(const struct json_reader *r, struct json_text text)
{
    if (r->stays || text.bytes < r->text || text.bytes >= r->end)
        return text;
    char *bytes = arena_alloc(r->arena, text.n_bytes, 1);
    if (bytes)
        memcpy(bytes, text.bytes, text.n_bytes);
    return (struct json_text){bytes, text.n_bytes};
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
    return r->at > begin || json_fail(r, "a digit");
}

static bool read_exponent(struct json_reader *r, struct decimal *d)
{
    struct decimal e = {0};
    bool is_negative = json_take(r, '-');
    if (!is_negative)
        json_take(r, '+');
    if (!read_digits(r, &e))
        return false;
    long size = e.n_digits < 6 ? (long)e.digits : 1000000;
    d->exponent += is_negative ? -size : size;
    return true;
}

static bool read_decimal(struct json_reader *r, struct decimal *d)
{
    json_take(r, '-');
    if (json_take(r, '0')) {
        if (r->at < r->end && *r->at >= '0' && *r->at <= '9')
            return json_fail(r, "no digit behind a leading 0");
    } else if (!read_digits(r, d)) {
        return false;
    }
    if (json_take(r, '.')) {
        const char *point = r->at;
        if (!read_digits(r, d))
            return false;
        d->exponent -= r->at - point;
    }
    return (!json_take(r, 'e') && !json_take(r, 'E')) || read_exponent(r, d);
}

/* The decimal that is next: all of it is there, and not too long. */
static bool read_bounded(struct json_reader *r, struct decimal *d)
{
    const char *begin = r->at, *end = r->end;
    bool was_last = r->is_last, is_long = end - begin > JSON_MAX_NUMBER_CHARS;
    if (is_long) {
        r->end = begin + JSON_MAX_NUMBER_CHARS + 1;
        r->is_last = false;
    }
    bool ends = read_decimal(r, d);
    bool is_cut = r->is_starved || (ends && r->at == r->end && !r->is_last);
    r->end = end;
    if (!r->failed)
        r->is_last = was_last;
    else
        r->at = end;
    if (!is_cut)
        return ends;
    if (!is_long)
        return json_starve(r);
    r->is_starved = false;
    r->at = begin + JSON_MAX_NUMBER_CHARS;
    return json_fail(r, "a number of at most 63 characters");
}

bool json_number(struct json_reader *r, double *out)
{
    static const double ten_to[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal d = {0};
    json_begin_scalar(r);
    const char *begin = r->at;
    if (!read_bounded(r, &d))
        return false;
    /* Two exact doubles: their product or quotient is rounded once, as strtod would. */
    if (d.n_digits <= 15 && d.exponent >= -22 && d.exponent <= 22) {
        double size = (double)d.digits;
        size = d.exponent < 0 ? size / ten_to[-d.exponent] : size * ten_to[d.exponent];
        *out = *begin == '-' ? -size : size;
        return json_end_value(r);
    }
    char copy[JSON_MAX_NUMBER_CHARS + 1] = {0};
    memcpy(copy, begin, (size_t)(r->at - begin));
    *out = strtod(copy, NULL);
    return json_end_value(r);
}

bool json_u64(struct json_reader *r, uint64_t *out)
{
    enum { SAFE_DIGITS = 19 }; /* of a number below 2^64, whatever they are */
    uint64_t value = 0;
    json_begin_scalar(r);
    const char *at = r->at;
    for (; at < r->end && *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (at - r->at >= SAFE_DIGITS && value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at - r->at > 1 && *r->at == '0')
        return false;
    if (at == r->end && !r->is_last)
        return json_starve(r);
    bool is_float = at < r->end && (*at == '.' || *at == 'e' || *at == 'E');
    if (at == r->at || is_float)
        return false;
    r->at = at;
    *out = value;
    return json_end_value(r);
}

bool json_word(struct json_reader *r, const char *word)
{
    size_t n = strlen(word), left = (size_t)(r->end - r->at);
    if (memcmp(r->at, word, n < left ? n : left) != 0 || (left < n && r->is_last))
        return json_fail(r, word);
    if (left < n)
        return json_starve(r);
    r->at += n;
    return json_end_value(r);
}

bool json_bool(struct json_reader *r, bool *out)
{
    *out = json_begin_scalar(r) == 't';
    return json_word(r, *out ? "true" : "false");
}
