#include "base/rng.h"
#include "learn/train/fake_quantize.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX_WIDTH = 512, MAX_BITS = 8 };

static const uint32_t widths[] = {1, 2, 3, 16, 33, 64, MAX_WIDTH};
enum { N_WIDTHS = sizeof widths / sizeof *widths };

static void random_row(float *row, uint32_t width, struct rng *rng)
{
    for (uint32_t d = 0; d < width; d++)
        row[d] = (float)rng_normal(rng);
}

static uint32_t count_distinct(const float *x, uint32_t n)
{
    uint32_t n_distinct = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = 0;
        while (j < i && x[j] != x[i])
            j++;
        n_distinct += j == i;
    }
    return n_distinct;
}

static double squared_error(const float *x, const float *y, uint32_t n)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < n; i++)
        sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    return sum;
}

static double range_of(const float *x, uint32_t n)
{
    float low = x[0], high = x[0];
    for (uint32_t i = 1; i < n; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
    }
    return (double)high - (double)low;
}

/* The squared error of the nearest levels over a share of the range, before any fit. */
static double unfitted_error(uint32_t bits, const float *x, uint32_t n)
{
    const double share = bits < 3 ? 0.7 : 0.9, n_steps = pow(2.0, bits) - 1.0;
    double low = INFINITY, sum = 0.0, range = range_of(x, n);
    for (uint32_t i = 0; i < n; i++)
        low = fmin(low, (double)x[i]);
    for (uint32_t i = 0; i < n; i++) {
        double best = INFINITY;
        for (double q = 0.0; q <= n_steps; q += 1.0)
            best = fmin(best, fabs((double)x[i] - (low + range * (0.5 + share * (q / n_steps - 0.5)))));
        sum += best * best;
    }
    return sum;
}

static void a_row_takes_no_more_values_than_its_bits_can_tell_apart(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 0);
    for (uint32_t bits = 1; bits <= MAX_BITS; bits++)
        for (int w = 0; w < N_WIDTHS; w++) {
            float row[MAX_WIDTH], out[MAX_WIDTH];
            random_row(row, widths[w], &rng);
            fake_quantize(bits, row, widths[w], out);
            assert_true(count_distinct(out, widths[w]) <= 1u << bits);
        }
}

/* Fitting and rounding anew can only bring the levels closer, in squares. A fit's sums are off by 2^-24 times
 * the square of a width, at worst, which the smallest errors, at 8 bits, do not notice. */
static void errors_are_within_those_of_levels_that_are_not_fitted(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(2, 0);
    for (int round = 0; round < 20; round++)
        for (uint32_t bits = 1; bits <= MAX_BITS; bits++)
            for (int w = 0; w < N_WIDTHS; w++) {
                float row[MAX_WIDTH], out[MAX_WIDTH];
                random_row(row, widths[w], &rng);
                fake_quantize(bits, row, widths[w], out);
                double bound = unfitted_error(bits, row, widths[w]);
                assert_true(squared_error(row, out, widths[w]) <= bound * (1.0 + 1e-3) + 1e-10);
            }
}

static void constant_rows_stay_as_they_are(void **state)
{
    (void)state;
    const float values[] = {0.0f, 1.0f, -0.37f, 1e-20f};
    for (uint32_t bits = 1; bits <= MAX_BITS; bits++)
        for (int v = 0; v < 4; v++)
            for (int w = 0; w < N_WIDTHS; w++) {
                float row[MAX_WIDTH], out[MAX_WIDTH];
                for (uint32_t d = 0; d < widths[w]; d++)
                    row[d] = values[v];
                fake_quantize(bits, row, widths[w], out);
                /* The mean of equal values, whose sum is rounded. */
                for (uint32_t d = 0; d < widths[w]; d++)
                    assert_true(fabsf(out[d] - row[d]) <= 1e-5f * fabsf(row[d]));
            }
}

/* With up to 3 bits clipping moves no level as far as the middle between two, so the fit finds them again;
 * with more, no value is off by more than what clipping cuts off and half a step, or about 0.05 + 0.5 / 15 of
 * the range. */
static void rows_on_even_levels_are_fixed_points_or_not_far_off(void **state)
{
    (void)state;
    for (uint32_t bits = 1; bits <= MAX_BITS; bits++) {
        const uint32_t n_levels = 1u << bits, width = 2 * n_levels;
        float row[MAX_WIDTH], out[MAX_WIDTH];
        for (uint32_t d = 0; d < width; d++)
            row[d] = -0.4f + 1.5f * (float)(d * 5 % n_levels) / (float)(n_levels - 1);
        fake_quantize(bits, row, width, out);
        double range = range_of(row, width), step = range / (n_levels - 1);
        double bound = bits <= 3 ? 1e-6 : 0.05 * range + 0.5 * step;
        for (uint32_t d = 0; d < width; d++)
            assert_true(fabs((double)out[d] - (double)row[d]) <= bound);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_takes_no_more_values_than_its_bits_can_tell_apart),
        cmocka_unit_test(errors_are_within_those_of_levels_that_are_not_fitted),
        cmocka_unit_test(constant_rows_stay_as_they_are),
        cmocka_unit_test(rows_on_even_levels_are_fixed_points_or_not_far_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
