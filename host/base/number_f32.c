#include "base/clones.h"
#include "base/number.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

/* Each step takes a block of floats, several with one instruction where there are instructions for that. */
enum { BLOCK = 32 };

struct block {
    uint32_t bits[BLOCK];
    uint64_t powers[BLOCK];
    uint32_t digits[BLOCK]; /* digits * 10^exponent: the shortest decimal */
    int exponents[BLOCK];
    uint32_t first[BLOCK], next[BLOCK], last[BLOCK]; /* 1, 4 and 4 digits of it, a byte each */
    int firsts_exponent[BLOCK];
};

/* 10^-k for k from LEAST_POWER on: 64 bits from its first that is 1, rounded up. */
enum { LEAST_POWER = -45 };
static const uint64_t one_by_ten_to[] = {
    0xb35dbf821ae4f38c, 0x8f7e32ce7bea5c70, 0xe596b7b0c643c71a, 0xb7abc627050305ae, 0x92efd1b8d0cf37bf,
    0xeb194f8e1ae525fe, 0xbc143fa4e250eb32, 0x96769950b50d88f5, 0xf0bdc21abb48db21, 0xc097ce7bc90715b4,
    0x9a130b963a6c115d, 0xf684df56c3e01bc7, 0xc5371912364ce306, 0x9dc5ada82b70b59e, 0xfc6f7c4045812297,
    0xc9f2c9cd04674edf, 0xa18f07d736b90be6, 0x813f3978f8940985, 0xcecb8f27f4200f3a, 0xa56fa5b99019a5c8,
    0x84595161401484a0, 0xd3c21bcecceda100, 0xa968163f0a57b400, 0x878678326eac9000, 0xd8d726b7177a8000,
    0xad78ebc5ac620000, 0x8ac7230489e80000, 0xde0b6b3a76400000, 0xb1a2bc2ec5000000, 0x8e1bc9bf04000000,
    0xe35fa931a0000000, 0xb5e620f480000000, 0x9184e72a00000000, 0xe8d4a51000000000, 0xba43b74000000000,
    0x9502f90000000000, 0xee6b280000000000, 0xbebc200000000000, 0x9896800000000000, 0xf424000000000000,
    0xc350000000000000, 0x9c40000000000000, 0xfa00000000000000, 0xc800000000000000, 0xa000000000000000,
    0x8000000000000000, 0xcccccccccccccccd, 0xa3d70a3d70a3d70b, 0x83126e978d4fdf3c, 0xd1b71758e219652c,
    0xa7c5ac471b478424, 0x8637bd05af6c69b6, 0xd6bf94d5e57a42bd, 0xabcc77118461cefd, 0x89705f4136b4a598,
    0xdbe6fecebdedd5bf, 0xafebff0bcb24aaff, 0x8cbccc096f5088cc, 0xe12e13424bb40e14, 0xb424dc35095cd810,
    0x901d7cf73ab0acda, 0xe69594bec44de15c, 0xb877aa3236a4b44a, 0x9392ee8e921d5d08, 0xec1e4a7db69561a6,
    0xbce5086492111aeb, 0x971da05074da7bef, 0xf1c90080baf72cb2, 0xc16d9a0095928a28, 0x9abe14cd44753b53,
    0xf79687aed3eec552, 0xc612062576589ddb, 0x9e74d1b791e07e49, 0xfd87b5f28300ca0e, 0xcad2f7f5359a3b3f,
    0xa2425ff75e14fc32, 0x81ceb32c4b43fcf5,
};

/* A float without its sign is c * 2^q. */
struct binary {
    uint32_t c;
    int q;
    bool is_power; /* of two: the next float down is half as far as the next one up */
};

static inline struct binary binary_of(uint32_t bits)
{
    uint32_t fraction = bits & 0x7fffff, exponent = bits >> 23 & 0xff;
    return (struct binary){.c = fraction | (exponent ? 0x800000 : 0),
                           .q = (int)exponent - 150 + (exponent == 0),
                           .is_power = (fraction == 0) & (exponent > 1)};
}

/* Of the highest power of ten within the range of what reads back as the float. */
static inline int decimal_exponent(struct binary f)
{
    return (f.q * 315653 - (f.is_power ? 131072 : 0)) >> 20;
}

enum { POINT = 36 };

/* The integer that, times 10^k, is the shortest decimal that reads back as the float, and of several the
 * nearest. Of those that do one at most is a multiple of ten, and then it is that one. In fixed point, of
 * POINT bits. Ties, which read as the even float, are told from what is near one by more than value's error;
 * that all floats come out right was tried with all of them. */
static inline uint32_t shortest(struct binary f, int k, uint64_t power)
{
    int shift = f.q + (-k * 1741647 >> 19); /* 2^q / 10^k is power * 2^(shift - 63), from 1 to 14 */
    uint64_t c = f.c << shift;
    uint64_t value = (c * (power >> 32) << (POINT - 31)) + (c * (uint32_t)power >> (63 - POINT));
    uint64_t up = power >> (64 - POINT - shift), down = up >> f.is_power, slack = f.c & 1 ? (uint64_t)-2 : 2;
    uint32_t nearest = (uint32_t)((value + ((uint64_t)1 << (POINT - 1))) >> POINT);
    nearest += f.is_power & ((int64_t)(value - ((uint64_t)nearest << POINT)) > (int64_t)down);
    uint32_t ten = ((uint32_t)(value >> POINT) + 5) / 10 * 10;
    uint64_t miss = ((uint64_t)ten << POINT) - value;
    return nearest + (ten - nearest) * (miss + down + slack < up + down + 2 * slack);
}

/* Of a number below 10^4, the first in the lowest byte: halves, then digits, all at once. */
static inline uint32_t four_digits(uint32_t x)
{
    uint32_t q = x * 10486 >> 20; /* by 100 */
    x = q | (x - 100 * q) << 16;
    q = (x * 103 >> 10) & 0x000f000f; /* by 10 */
    return q | (x - 10 * q) << 8;
}

/* Nine digits, zeros behind them where the decimal has fewer; it has seven or more, or is for print_rare. */
static inline void split(struct block *b, size_t i)
{
    uint32_t digits = b->digits[i];
    bool lacks_1 = digits < 100000000, lacks_2 = digits < 10000000;
    digits *= 1u + 9u * lacks_1 + 90u * lacks_2;
    b->first[i] = digits / 100000000;
    b->next[i] = four_digits(digits / 10000 % 10000);
    b->last[i] = four_digits(digits % 10000);
    b->firsts_exponent[i] = b->exponents[i] + 8 - lacks_1 - lacks_2;
}

CLONES static void take_apart(struct block *b, const float *values, size_t n)
{
    memcpy(b->bits, values, n * sizeof *values);
    for (size_t i = 0; i < n; i++)
        b->exponents[i] = decimal_exponent(binary_of(b->bits[i]));
    for (size_t i = 0; i < n; i++)
        b->powers[i] = one_by_ten_to[b->exponents[i] - LEAST_POWER];
    for (size_t i = 0; i < n; i++)
        b->digits[i] = shortest(binary_of(b->bits[i]), b->exponents[i], b->powers[i]);
    for (size_t i = 0; i < n; i++)
        split(b, i);
}

static inline void put_eight(char *out, uint64_t chars)
{
    uint64_t bytes = htole64(chars);
    memcpy(out, &bytes, sizeof bytes);
}

static inline size_t positive_or_0(int x)
{
    return (size_t)(x & ~(x >> 31));
}

/* 123.45, 12000 or 0.00123, without a branch: which of them floats are goes now this way, now that. The point
 * comes behind the first digit and `right` more, or with zeros before them all. */
static inline size_t print_plain(char *out, const struct block *b, size_t i)
{
    static const uint64_t zeros = 0x3030303030303030;
    uint64_t rest = b->next[i] | (uint64_t)b->last[i] << 32, digits = rest | zeros;
    size_t n_rest = rest ? 8 - (size_t)__builtin_clzll(rest) / 8 : 0;
    size_t right = positive_or_0(b->firsts_exponent[i]), n_zeros = positive_or_0(-b->firsts_exponent[i]);
    size_t is_small = n_zeros > 0, first = n_zeros + is_small;
    put_eight(out, zeros);
    out[first] = (char)('0' + b->first[i]);
    put_eight(out + first + 1, digits);
    put_eight(out + first + right + 2 - is_small, digits >> 4 * right >> 4 * right);
    out[right + 1] = '.';
    size_t is_whole = n_rest <= right;
    return first + 2 + (is_whole ? right : n_rest) - (is_whole | is_small);
}

/* null, 0 or 1.5e-7 */
static size_t print_rare(char *out, const struct block *b, size_t i)
{
    uint32_t digits = b->digits[i];
    int exponent = b->exponents[i];
    size_t sign = b->bits[i] >> 31;
    if ((b->bits[i] & 0x7f800000) == 0x7f800000) {
        memcpy(out, "null", 4);
        return 4;
    }
    out[0] = digits ? '-' : '0';
    if (digits == 0)
        return 1;
    out += sign;
    for (; digits % 10 == 0; digits /= 10)
        exponent++;
    size_t n = number_print_u64(out + 1, digits);
    exponent += (int)n - 1;
    out[0] = out[1];
    out[1] = '.';
    n += n > 1;
    out[n++] = 'e';
    out[n] = '-';
    n += exponent < 0;
    return sign + n + number_print_u64(out + n, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

static size_t print(char *out, const struct block *b, size_t i)
{
    if (b->firsts_exponent[i] < -5 || b->firsts_exponent[i] > 8)
        return print_rare(out, b, i);
    out[0] = '-';
    size_t sign = b->bits[i] >> 31;
    return sign + print_plain(out + sign, b, i);
}

size_t number_print_f32(char *out, float value)
{
    struct block b;
    take_apart(&b, &value, 1);
    return print(out, &b, 0);
}

size_t number_print_f32s(char *out, const float *values, size_t n)
{
    struct block b;
    char *at = out;
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        size_t n_block = n - begin < BLOCK ? n - begin : BLOCK;
        take_apart(&b, values + begin, n_block);
        for (size_t i = 0; i < n_block; i++) {
            *at = ',';
            at += begin + i > 0;
            at += print(at, &b, i);
        }
    }
    return (size_t)(at - out);
}
