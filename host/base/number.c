#include "base/number.h"

#include <endian.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
    "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
    "9899";

size_t number_print_u64(char *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    for (; value >= 10; value /= 100) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * (value % 100), 2);
    }
    if (value > 0 || at == sizeof digits)
        digits[--at] = (char)('0' + value);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

/* The largest power of ten that is a double itself. */
enum { EXACT_POWER = 22 };

/* x * 10^e for e in [-60, 60]: rounded once up to EXACT_POWER, beyond it within a few units of 2^-53, which
 * is far finer than a float. */
static double times_ten_to(double x, int e)
{
    static const double small[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    static const double large[] = {1e0, 1e23, 1e46};
    unsigned size = (unsigned)(e < 0 ? -e : e);
    double power = large[size / (EXACT_POWER + 1)] * small[size % (EXACT_POWER + 1)];
    return e < 0 ? x / power : x * power;
}

/* digits * 10^(exponent - n_digits + 1) */
struct decimal {
    uint32_t digits;
    int n_digits;
    int exponent;
};

enum { MAX_DIGITS = 9 };

/* A positive float as x * 10^(exponent - 8) with x in [1e8, 1e9): what to round to some number of digits. */
static double scale(float value, int *exponent)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    int binary_exponent = (int)(bits >> 23) - 126;
    if (bits < 0x800000)
        frexpf(value, &binary_exponent);
    /* floor(log10) from the binary exponent, possibly one too small; casts round down above 0 only */
    *exponent = (int)((binary_exponent - 1) * 0.30102999566398120 + 64) - 64;
    double scaled = times_ten_to((double)value, MAX_DIGITS - 1 - *exponent);
    if (scaled < 1e9 - 0.5)
        return scaled;
    ++*exponent;
    return times_ten_to((double)value, MAX_DIGITS - 1 - *exponent);
}

static struct decimal rounded(double scaled, int exponent, int n_digits)
{
    static const double ten_to[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    uint32_t digits = (uint32_t)(scaled / ten_to[MAX_DIGITS - n_digits] + 0.5);
    if (digits == ten_to[n_digits])
        return (struct decimal){.digits = 1, .n_digits = 1, .exponent = exponent + 1};
    return (struct decimal){.digits = digits, .n_digits = n_digits, .exponent = exponent};
}

/* Where x has more than one rounding behind it, it must not lie so near to halfway between two floats that
 * they decide: 7.038531e-26 does. */
static bool reads_back(const struct decimal *d, float value)
{
    int e = d->exponent - d->n_digits + 1;
    double x = times_ten_to(d->digits, e);
    if (e >= -EXACT_POWER && e <= EXACT_POWER)
        return (float)x == value;
    return (float)(x - x * 0x1p-50) == value && (float)(x + x * 0x1p-50) == value;
}

/* The fewest digits that still read back; most floats take 8 or 9, which any two floats differ in. */
static struct decimal shortest_read_back(float value, double scaled, int exponent)
{
    struct decimal best = rounded(scaled, exponent, MAX_DIGITS);
    for (int n = MAX_DIGITS - 1; n > 0; n--) {
        struct decimal d = rounded(scaled, exponent, n);
        if (!reads_back(&d, value))
            break;
        best = d;
    }
    for (; best.n_digits < MAX_DIGITS; best.n_digits++)
        best.digits *= 10;
    return best;
}

/* The multiple of a unit next to x, up to rounding. */
static double multiple(double x, double unit, double one_by_unit)
{
    return (uint32_t)(x * one_by_unit + 0.5) * unit;
}

/* The same, most often without reading back: by how far from it everything is still read as the value. Where
 * floats go now this way, now that, there are no branches: of 9, 8 or 7 digits. */
static struct decimal shortest(float value)
{
    static const double too_near = 1e-5, end = 1e9; /* scaled is within 1e-6 */
    uint32_t bits;
    int exponent;
    double scaled = scale(value, &exponent);
    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & 0x7fffff;
    double reach = scaled * 0.5 / (double)(fraction | 0x800000);
    const double of[] = {multiple(scaled, 1, 1), multiple(scaled, 1e1, 1e-1), multiple(scaled, 1e2, 1e-2)};
    double next = multiple(scaled, 1e3, 1e-3), miss_of_8 = fabs(of[1] - scaled),
           miss_of_7 = fabs(of[2] - scaled);
    double best = of[(miss_of_8 < reach) + (miss_of_7 < reach)];
    /* A power of two reaches down less far, a denormal farther. */
    if ((fraction == 0) | (bits < 0x800000) | (of[1] >= end) | (of[2] >= end) |
        (fabs(miss_of_8 - reach) < too_near) | (fabs(miss_of_7 - reach) < too_near))
        return shortest_read_back(value, scaled, exponent);
    for (double unit = 1000;; unit *= 10) {
        double miss = fabs(next - scaled);
        if ((next >= end) | (fabs(miss - reach) < too_near))
            return shortest_read_back(value, scaled, exponent);
        if (miss > reach)
            break;
        best = next;
        next = multiple(scaled, 10 * unit, 0.1 / unit);
    }
    return (struct decimal){(uint32_t)best, MAX_DIGITS, exponent};
}

/* The digits of a number below 1e8 as characters, the first in the lowest byte: halves, quarters, then
 * digits, all at once. */
static uint64_t eight_digits(uint32_t value)
{
    uint64_t x = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t q = (x * 10486 >> 20) & 0x0000007f0000007f; /* by 100 */
    x = q | (x - 100 * q) << 16;
    q = (x * 103 >> 10) & 0x000f000f000f000f; /* by 10 */
    return (q | (x - 10 * q) << 8) + 0x3030303030303030;
}

/* All of MAX_DIGITS digits; how many there are before the zeros at their end. */
static size_t print_digits(char out[MAX_DIGITS], uint32_t digits)
{
    uint64_t rest = eight_digits(digits % 100000000);
    out[0] = (char)('0' + digits / 100000000);
    uint64_t bytes = htole64(rest);
    memcpy(out + 1, &bytes, sizeof bytes);
    rest ^= 0x3030303030303030;
    return rest ? MAX_DIGITS - (size_t)__builtin_clzll(rest) / 8 : 1;
}

static size_t print_decimal(char *out, const struct decimal *d)
{
    if (d->exponent < 0 && d->exponent >= -5) { /* 0.00123 */
        size_t n = 1 + (size_t)-d->exponent;
        memcpy(out, "0.0000", 6);
        return n + print_digits(out + n, d->digits);
    }
    size_t whole = d->exponent >= 0 && d->exponent < MAX_DIGITS ? (size_t)d->exponent + 1 : 1;
    size_t n = print_digits(out + 1, d->digits); /* 123.45, or 12000 */
    out[0] = out[1];
    for (size_t i = 1; i < whole; i++)
        out[i] = out[i + 1];
    out[whole] = '.';
    n = n > whole ? n + 1 : whole;
    if (d->exponent < -5 || d->exponent >= MAX_DIGITS) { /* 1.5e-7 */
        out[n++] = 'e';
        if (d->exponent < 0)
            out[n++] = '-';
        n += number_print_u64(out + n, (uint64_t)(d->exponent < 0 ? -d->exponent : d->exponent));
    }
    return n;
}

size_t number_print_f32(char *out, float value)
{
    if (!isfinite(value)) {
        memcpy(out, "null", 4);
        return 4;
    }
    size_t sign = signbit(value) && value != 0.0f;
    out[0] = '-';
    if (value == 0.0f) {
        out[0] = '0';
        return 1;
    }
    struct decimal d = shortest(fabsf(value));
    return sign + print_decimal(out + sign, &d);
}
