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

/* 10^e for e in [-60, 60]: exact to 22, beyond that within a few units of 2^-53, which is far finer than a
 * float. */
static double power_of_ten(int e)
{
    static const double small[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9, 1e10,
                                   1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20};
    static const double large[] = {1e0, 1e20, 1e40, 1e60};
    int size = e < 0 ? -e : e;
    double power = large[size / 20] * small[size % 20];
    return e < 0 ? 1.0 / power : power;
}

/* digits * 10^(exponent - n_digits + 1) */
struct decimal {
    uint32_t digits;
    int n_digits;
    int exponent;
};

enum { MAX_DIGITS = 9 };

static uint32_t ten_to(int n)
{
    static const uint32_t powers[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};
    return powers[n];
}

/* Nine significant digits of a positive float: enough to tell any two floats apart. */
static struct decimal nine_digits(float value)
{
    int binary_exponent;
    frexpf(value, &binary_exponent);
    /* floor(log10) from the binary exponent, possibly one too small */
    int exponent = (int)floor((binary_exponent - 1) * 0.30102999566398120);
    double scaled = (double)value * power_of_ten(MAX_DIGITS - 1 - exponent);
    if (scaled >= 1e9 - 0.5) {
        exponent++;
        scaled = (double)value * power_of_ten(MAX_DIGITS - 1 - exponent);
    }
    return (struct decimal){.digits = (uint32_t)(scaled + 0.5), .n_digits = MAX_DIGITS, .exponent = exponent};
}

static bool reads_back(const struct decimal *d, float value)
{
    return (float)(d->digits * power_of_ten(d->exponent - d->n_digits + 1)) == value;
}

/* The fewest digits that still read back; most floats take 7 or 8. */
static struct decimal shortest(float value)
{
    struct decimal best = nine_digits(value);
    struct decimal nine = best;
    for (int n = MAX_DIGITS - 1; n > 0; n--) {
        uint32_t cut = ten_to(MAX_DIGITS - n);
        struct decimal d = {
            .digits = (nine.digits + cut / 2) / cut, .n_digits = n, .exponent = nine.exponent};
        if (d.digits == ten_to(n)) {
            d.digits /= 10;
            d.exponent++;
        }
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
