#include "base/number.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

size_t number_print_u64(char *out, uint64_t value)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
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
    int binary_exponent;
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
static struct decimal shortest(float value)
{
    int exponent;
    double scaled = scale(value, &exponent);
    struct decimal best = rounded(scaled, exponent, MAX_DIGITS);
    for (int n = MAX_DIGITS - 1; n > 0; n--) {
        struct decimal d = rounded(scaled, exponent, n);
        if (!reads_back(&d, value))
            break;
        best = d;
    }
    while (best.n_digits > 1 && best.digits % 10 == 0) {
        best.digits /= 10;
        best.n_digits--;
    }
    return best;
}

static size_t print_zeros(char *out, int n)
{
    memset(out, '0', (size_t)n);
    return (size_t)n;
}

static size_t print_decimal(char *out, const struct decimal *d)
{
    char digits[NUMBER_MAX_CHARS];
    size_t n_digits = number_print_u64(digits, d->digits), n = 0;
    if (d->exponent < 0 && d->exponent >= -5) { /* 0.00123 */
        memcpy(out, "0.", 2);
        n = 2 + print_zeros(out + 2, -d->exponent - 1);
        memcpy(out + n, digits, n_digits);
        return n + n_digits;
    }
    size_t whole = 1;
    if (d->exponent >= 0 && d->exponent < MAX_DIGITS) /* 123.45, or 12000 */
        whole = (size_t)d->exponent + 1;
    size_t shown = n_digits < whole ? n_digits : whole;
    memcpy(out, digits, shown);
    n = shown + print_zeros(out + shown, (int)(whole - shown));
    if (n_digits > whole) {
        out[n++] = '.';
        memcpy(out + n, digits + whole, n_digits - whole);
        n += n_digits - whole;
    }
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
