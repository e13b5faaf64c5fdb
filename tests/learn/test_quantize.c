#include "base/rng.h"
#include "learn/quantize.h"
#include "learn/vector.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N_ROWS = 50, DIM = 37 };

static float rows[N_ROWS * DIM];

/* Unit rows, the last one zero. */
static int rows_create(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 0);
    for (int i = 0; i < (N_ROWS - 1) * DIM; i++)
        rows[i] = (float)rng_normal(&rng);
    for (int r = 0; r < N_ROWS - 1; r++)
        vector_normalise(rows + r * DIM, DIM);
    return 0;
}

static void round_trip(enum precision precision, float out[N_ROWS * DIM])
{
    static float stored[N_ROWS * DIM], scales[N_ROWS];
    struct model m = {.dim = DIM,
                      .item = {.n_rows = N_ROWS, .precision = precision, .rows = stored, .scales = scales}};
    quantize_rows(rows, N_ROWS, DIM, precision, stored, scales);
    for (uint32_t r = 0; r < N_ROWS; r++)
        dequantize_row(&m, r, out + r * DIM);
}

static double length_of(const float *row)
{
    double sum = 0.0;
    for (int d = 0; d < DIM; d++)
        sum += (double)row[d] * (double)row[d];
    return sqrt(sum);
}

static void f32_rows_are_kept_as_they_are(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    round_trip(PRECISION_F32, out);
    assert_memory_equal(out, rows, sizeof out);
}

/* Half a unit in the last of 11 bits. */
static void f16_rows_are_off_by_half_a_unit_at_most(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    round_trip(PRECISION_F16, out);
    for (int i = 0; i < N_ROWS * DIM; i++)
        assert_true(fabsf(out[i] - rows[i]) <= fmaxf(0x1p-11f * fabsf(rows[i]), 0x1p-25f));
}

/* Rounding moves an element by half a step, step = max |x| / 127, and so the row's length by at most half a
 * step times sqrt(dim), which is what restoring the length costs an element of itself. */
static void i8_rows_have_length_one_and_elements_off_by_half_a_step(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    round_trip(PRECISION_I8, out);
    for (int r = 0; r < N_ROWS - 1; r++) {
        double largest = 0.0;
        for (int d = 0; d < DIM; d++)
            largest = fmax(largest, fabs((double)rows[r * DIM + d]));
        double half_step = 0.5 * largest / 127.0, stretch = half_step * sqrt(DIM);
        for (int d = 0; d < DIM; d++) {
            double x = (double)rows[r * DIM + d], error = fabs((double)out[r * DIM + d] - x);
            assert_true(error <= half_step + (fabs(x) + half_step) * stretch / (1.0 - stretch) + 1e-6);
        }
        /* Each element is a rounded product: 2^-24 of itself off, and so is the scale. */
        assert_true(fabs(length_of(out + r * DIM) - 1.0) < 2e-7);
    }
}

static void zero_rows_stay_zero(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    for (int p = PRECISION_F32; p <= PRECISION_I8; p++) {
        round_trip((enum precision)p, out);
        assert_true(length_of(out + (N_ROWS - 1) * DIM) == 0.0);
    }
}

static void every_half_comes_back_as_itself(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 65536; half++) {
        uint16_t back = half_from_float(half_to_float((uint16_t)half));
        bool is_nan = (half & 0x7fffu) > 0x7c00u;
        assert_true(is_nan ? (back & 0x7fffu) > 0x7c00u : back == half);
    }
}

/* Between neighbours a and b: below the middle to a, above it to b, on it to the even one. */
static void halves_round_to_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x7bffu; half++) {
        float a = half_to_float((uint16_t)half), b = half_to_float((uint16_t)(half + 1)),
              middle = 0.5f * (a + b);
        uint32_t even = half + (half & 1);
        assert_int_equal(half_from_float(middle), even);
        assert_int_equal(half_from_float(-middle), even | 0x8000u);
        assert_int_equal(half_from_float(nextafterf(middle, a)), half);
        assert_int_equal(half_from_float(nextafterf(middle, b)), half + 1);
    }
    assert_int_equal(half_from_float(65519.0f), 0x7bffu);
    assert_int_equal(half_from_float(65520.0f), 0x7c00u);
    assert_int_equal(half_from_float(-INFINITY), 0xfc00u);
    assert_int_equal(half_from_float(0x1p-26f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_rows_are_kept_as_they_are),
        cmocka_unit_test(f16_rows_are_off_by_half_a_unit_at_most),
        cmocka_unit_test(i8_rows_have_length_one_and_elements_off_by_half_a_step),
        cmocka_unit_test(zero_rows_stay_zero),
        cmocka_unit_test(every_half_comes_back_as_itself),
        cmocka_unit_test(halves_round_to_nearest_and_ties_to_even),
    };
    return cmocka_run_group_tests(tests, rows_create, NULL);
}
