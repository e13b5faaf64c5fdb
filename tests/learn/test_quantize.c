#include "base/half.h"
#include "base/rng.h"
#include "learn/store/dequantize.h"
#include "learn/store/quantize.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N_ROWS = 50, DIM = 40, ZERO_ROW = N_ROWS - 1 };

static float rows[N_ROWS * DIM];

static double length_of(const float *row)
{
    double sum = 0.0;
    for (int d = 0; d < DIM; d++)
        sum += (double)row[d] * (double)row[d];
    return sqrt(sum);
}

/* Rows of lengths from 1/8 to 8, the last one zero. */
static int rows_create(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 0);
    for (int r = 0; r < ZERO_ROW; r++) {
        float *row = rows + r * DIM;
        for (int d = 0; d < DIM; d++)
            row[d] = (float)rng_normal(&rng);
        float factor = (float)(exp2((double)(r % 7) - 3.0) / length_of(row));
        for (int d = 0; d < DIM; d++)
            row[d] *= factor;
    }
    return 0;
}

static void read_row(const void *context, uint32_t r, float *out)
{
    memcpy(out, (const float *)context + r * DIM, DIM * sizeof *out);
}

static void read_value(const void *context, uint32_t r, float *out)
{
    *out = ((const float *)context)[r];
}

/* Rows of few levels, in bits of a value; DIM is a width that all can have. */
static const enum row_form few_levels[] = {ROWS_I4, ROWS_I3, ROWS_I2};
enum { N_FEW_LEVELS = sizeof few_levels / sizeof *few_levels };

static int n_steps_of(enum row_form form)
{
    return form == ROWS_I4 ? 15 : form == ROWS_I3 ? 7 : 3;
}

static const struct row_source source = {N_ROWS, DIM, read_row, rows};

static void round_trip(const struct row_source *from, enum row_form form, float *out)
{
    struct stored_rows stored;
    struct collide_error err = {0};
    if (quantize_rows(from, from->width, form, &stored, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    for (uint32_t r = 0; r < from->n; r++)
        dequantize_row(&stored.table, r, 0, out + r * from->width);
    stored_rows_free(&stored);
}

static void f32_rows_are_kept_as_they_are(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    round_trip(&source, ROWS_F32, out);
    assert_memory_equal(out, rows, sizeof out);
}

/* Half a unit in the last of 11 bits. */
static void f16_rows_are_off_by_half_a_unit_at_most(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    round_trip(&source, ROWS_F16, out);
    for (int i = 0; i < N_ROWS * DIM; i++)
        assert_true(fabsf(out[i] - rows[i]) <= fmaxf(0x1p-11f * fabsf(rows[i]), 0x1p-25f));
}

/* Rounding moves an element by half a step, step = max |x| / 127, and so the row's length by at most half a
 * step times sqrt(dim), a share of the length which is what restoring it costs an element of itself. */
static void i8_elements_are_off_by_half_a_step(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    round_trip(&source, ROWS_I8, out);
    for (int r = 0; r < ZERO_ROW; r++) {
        double largest = 0.0, length = length_of(rows + r * DIM);
        for (int d = 0; d < DIM; d++)
            largest = fmax(largest, fabs((double)rows[r * DIM + d]));
        double half_step = 0.5 * largest / 127.0, stretch = half_step * sqrt(DIM) / length;
        for (int d = 0; d < DIM; d++) {
            double x = (double)rows[r * DIM + d], error = fabs((double)out[r * DIM + d] - x);
            assert_true(error <=
                        half_step + (fabs(x) + half_step) * stretch / (1.0 - stretch) + 1e-6 * length);
        }
    }
}

/* An element is a rounded product of a rounded scale, 2^-23 of itself off together. */
static void i8_rows_keep_their_length(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    round_trip(&source, ROWS_I8, out);
    for (int r = 0; r < ZERO_ROW; r++) {
        double length = length_of(rows + r * DIM);
        assert_true(fabs(length_of(out + r * DIM) - length) < 2e-6 * length);
    }
}

/* Scale and offset are halves, off by 2^-11 of themselves or 2^-25: an element by what its two parts are. The
 * parts are those of the stored row; those before rounding differ by 2^-11 of that again. */
static void check_lengths(enum row_form form)
{
    struct stored_rows stored;
    float out[DIM];
    assert_int_equal(quantize_rows(&source, DIM, form, &stored, NULL), COLLIDE_OK);
    for (uint32_t r = 0; r < ZERO_ROW; r++) {
        double offset = fabs((double)half_to_float(((const uint16_t *)stored.scales)[2 * r + 1]));
        double squares = 0.0, length = length_of(rows + r * DIM);
        dequantize_row(&stored.table, r, 0, out);
        for (int d = 0; d < DIM; d++)
            squares += pow(0x1p-11 * (fabs((double)out[d]) + 2.0 * offset) * 1.001 + 16 * 0x1p-25, 2.0);
        assert_true(fabs(length_of(out) - length) <= sqrt(squares));
    }
    stored_rows_free(&stored);
}

static void rows_of_few_levels_keep_their_length_but_for_the_rounding_of_their_scales(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FEW_LEVELS; f++)
        check_lengths(few_levels[f]);
}

/* Halves from 64 to 128 are 1/16 apart, and a step of i4 is 1/30: rounding an offset moves the levels by up
 * to one of them, which is before the values find theirs. Restoring the length then moves neither, and single
 * precision loses 2^-18 at most. */
static void check_levels(enum row_form form)
{
    struct rng rng = rng_seeded(4, 0);
    struct stored_rows stored;
    static float high_rows[N_ROWS * DIM];
    const struct row_source high = {N_ROWS, DIM, read_row, high_rows};
    for (int i = 0; i < N_ROWS * DIM; i++)
        high_rows[i] = (float)(70 + i / DIM + 0.5 * rng_double(&rng));
    assert_int_equal(quantize_rows(&high, DIM, form, &stored, NULL), COLLIDE_OK);
    for (uint32_t r = 0; r < N_ROWS; r++) {
        const uint16_t *pair = (const uint16_t *)stored.scales + 2 * r;
        float out[DIM];
        dequantize_row(&stored.table, r, 0, out);
        for (int d = 0; d < DIM; d++) {
            double x = (double)high_rows[(int)r * DIM + d], least = INFINITY;
            for (int q = 0; q <= n_steps_of(form); q++)
                least = fmin(least,
                             fabs((double)half_to_float(pair[0]) * q + (double)half_to_float(pair[1]) - x));
            assert_true(fabs((double)out[d] - x) <= least + 0x1p-18);
        }
    }
    stored_rows_free(&stored);
}

static void values_have_the_nearest_of_the_levels_that_are_stored(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FEW_LEVELS; f++)
        check_levels(few_levels[f]);
}

/* Of the scales tried one is max |x| / 127, which is off by half a step at most; the one chosen is no worse
 * over all rows together. The scale rounds to float, 2^-24 of itself. */
static void line_rows_are_off_by_half_a_step_of_their_dimension(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    round_trip(&source, ROWS_I8_LINE, out);
    for (int d = 0; d < DIM; d++) {
        double largest = 0.0, squared_error = 0.0;
        for (int r = 0; r < N_ROWS; r++) {
            double x = (double)rows[r * DIM + d], error = (double)out[r * DIM + d] - x;
            largest = fmax(largest, fabs(x));
            squared_error += error * error;
        }
        double half_step = 0.5 * largest / 127.0;
        assert_true(squared_error <= N_ROWS * half_step * half_step * 1.001);
    }
}

/* 40,000 values within 0.5 and a single one of 0.625: the step that all gain outweighs what it loses. */
static void line_scales_clip_where_that_pays(void **state)
{
    (void)state;
    enum { N = 40000 };
    static float column[N];
    struct rng rng = rng_seeded(3, 0);
    for (int r = 0; r < N; r++)
        column[r] = (float)rng_double(&rng) - 0.5f;
    column[N / 2] = 0.625f;
    const struct row_source tall = {N, 1, read_value, column};
    struct stored_rows stored;
    assert_int_equal(quantize_rows(&tall, 1, ROWS_I8_LINE, &stored, NULL), COLLIDE_OK);
    float scale = *(const float *)stored.scales;
    assert_true(scale < 0.6f / 127.0f && scale > 0.49f / 127.0f);
    stored_rows_free(&stored);
}

/* As for i8, with step = (max x - min x) / n, of n + 1 levels: rounding to the unclipped levels leaves an
 * error of at most half a step times sqrt(dim); the levels chosen are no worse, fitted ones closer still; and
 * restoring the length moves the row by no more than it was off. Scale and offset are rounded to halves
 * before and after that, by 2^-11 of themselves: levels lie in the range, widened by as much again to either
 * side. */
static void check_errors(enum row_form form)
{
    float out[N_ROWS * DIM];
    round_trip(&source, form, out);
    for (int r = 0; r < ZERO_ROW; r++) {
        double low = INFINITY, high = -INFINITY, squared_error = 0.0;
        for (int d = 0; d < DIM; d++) {
            double x = (double)rows[r * DIM + d], error = (double)out[r * DIM + d] - x;
            low = fmin(low, x);
            high = fmax(high, x);
            squared_error += error * error;
        }
        double half_step = 0.5 * (high - low) / n_steps_of(form);
        double of_halves = 0x1p-10 * (4.0 * (high - low) + fmax(-low, high));
        assert_true(sqrt(squared_error) <= (2.0 * half_step + of_halves) * sqrt(DIM) * (1.0 + 1e-6));
    }
}

static void rows_of_few_levels_are_off_by_a_step_times_the_root_of_dim(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FEW_LEVELS; f++)
        check_errors(few_levels[f]);
}

/* Against levels from the smallest to the largest value, as everybody does it: errors' squares, as a share.
 */
static double search_against_range(enum row_form form)
{
    float out[N_ROWS * DIM];
    double searched = 0.0, plain = 0.0;
    round_trip(&source, form, out);
    for (int r = 0; r < ZERO_ROW; r++) {
        double low = INFINITY, high = -INFINITY, length = length_of(rows + r * DIM);
        for (int d = 0; d < DIM; d++) {
            low = fmin(low, (double)rows[r * DIM + d]);
            high = fmax(high, (double)rows[r * DIM + d]);
        }
        double step = (high - low) / n_steps_of(form);
        for (int d = 0; d < DIM; d++) {
            double x = (double)rows[r * DIM + d], nearest = low + step * round((x - low) / step);
            searched += pow(((double)out[r * DIM + d] - x) / length, 2.0);
            plain += pow((nearest - x) / length, 2.0);
        }
    }
    print_message("%s: RMS error of a row %.4f searched, %.4f plain\n", row_form_name(form),
                  sqrt(searched / ZERO_ROW), sqrt(plain / ZERO_ROW));
    return searched / plain;
}

static void search_is_better_than_the_range(void **state)
{
    (void)state;
    assert_true(search_against_range(ROWS_I4) < 0.85);
    assert_true(search_against_range(ROWS_I3) < 0.75);
    assert_true(search_against_range(ROWS_I2) < 0.6);
}

/* The least squared error of any levels: of a fine grid of their ends, each within the row's range. */
static double least_error(const float *row, int n_steps)
{
    enum { N = 60 };
    double low = INFINITY, high = -INFINITY, least = INFINITY;
    for (int d = 0; d < DIM; d++) {
        low = fmin(low, (double)row[d]);
        high = fmax(high, (double)row[d]);
    }
    for (int i = 0; i < N; i++)
        for (int j = i + 1; j <= N; j++) {
            double first = low + i * (high - low) / N, step = (j - i) * (high - low) / N / n_steps, sum = 0.0;
            for (int d = 0; d < DIM; d++) {
                double q = fmin(fmax(round(((double)row[d] - first) / step), 0.0), n_steps);
                sum += pow(first + q * step - (double)row[d], 2.0);
            }
            least = fmin(least, sum);
        }
    return least;
}

/* Restored in length or not, rows are compared by the squared distance to the nearest multiple of them. */
static void few_levels_lie_nearly_where_they_are_best(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_FEW_LEVELS; f++) {
        float out[N_ROWS * DIM];
        double found = 0.0, best = 0.0;
        round_trip(&source, few_levels[f], out);
        for (int r = 0; r < ZERO_ROW; r++) {
            const float *x = rows + r * DIM, *y = out + r * DIM;
            double product = 0.0, length = length_of(x);
            for (int d = 0; d < DIM; d++)
                product += (double)x[d] * (double)y[d];
            found += 1.0 - pow(product / length / length_of(y), 2.0);
            best += least_error(x, n_steps_of(few_levels[f])) / (length * length);
        }
        print_message("%s: RMS error %.4f, of the best levels %.4f\n", row_form_name(few_levels[f]),
                      sqrt(found / ZERO_ROW), sqrt(best / ZERO_ROW));
        assert_true(found < 1.1 * best);
    }
}

static void zero_rows_stay_zero(void **state)
{
    (void)state;
    float out[N_ROWS * DIM];
    for (int f = 0; f < N_ROW_FORMS; f++) {
        round_trip(&source, (enum row_form)f, out);
        assert_true(length_of(out + ZERO_ROW * DIM) == 0.0);
    }
}

/* Two levels, 0 and 15, a quarter a step: nothing is lost, and every value's place is plain to see. */
static void i4_values_lie_two_a_byte_low_half_first(void **state)
{
    (void)state;
    float row[DIM], out[DIM];
    for (int d = 0; d < DIM; d++)
        row[d] = d % 3 == 0 ? 2.75f : -1.0f;
    const struct row_source one = {1, DIM, read_row, row};
    struct stored_rows stored;
    assert_int_equal(quantize_rows(&one, DIM, ROWS_I4, &stored, NULL), COLLIDE_OK);
    for (int d = 0; d < DIM; d++) {
        uint8_t byte = ((const uint8_t *)stored.values)[d / 2];
        assert_int_equal(d % 2 ? byte >> 4 : byte & 15, d % 3 == 0 ? 15 : 0);
    }
    dequantize_row(&stored.table, 0, 0, out);
    for (int d = 0; d < DIM; d++)
        assert_true(fabsf(out[d] - row[d]) < 1e-6f);
    stored_rows_free(&stored);
}

/* The highest level, 0, 0 and so on; expected: (9), from there on again. The highest is 2.75, as a half of a
 * step off by 2^-12 of 3.75. */
static void check_bits(enum row_form form, const uint8_t *expected, size_t n_bytes)
{
    float row[DIM], out[DIM];
    for (int d = 0; d < DIM; d++)
        row[d] = d % 3 == 0 ? 2.75f : -1.0f;
    const struct row_source one = {1, DIM, read_row, row};
    struct stored_rows stored;
    assert_int_equal(quantize_rows(&one, DIM, form, &stored, NULL), COLLIDE_OK);
    assert_int_equal(row_bytes(&stored.table), n_bytes);
    for (size_t i = 0; i < n_bytes; i++)
        assert_int_equal(((const uint8_t *)stored.values)[i], expected[i % 9]);
    dequantize_row(&stored.table, 0, 0, out);
    for (int d = 0; d < DIM; d++)
        assert_true(fabsf(out[d] - row[d]) < 2e-3f);
    stored_rows_free(&stored);
}

static void values_of_few_bits_lie_one_behind_the_other_low_bits_first(void **state)
{
    (void)state;
    static const uint8_t threes[9] = {0x07, 0x0e, 0x1c, 0x38, 0x70, 0xe0, 0xc0, 0x81, 0x03},
                         twos[9] = {0xc3, 0x30, 0x0c, 0xc3, 0x30, 0x0c, 0xc3, 0x30, 0x0c};
    check_bits(ROWS_I3, threes, 15);
    check_bits(ROWS_I2, twos, 10);
}

static void constant_rows_are_kept(void **state)
{
    (void)state;
    float row[DIM], out[DIM];
    for (int d = 0; d < DIM; d++)
        row[d] = -0.25f;
    const struct row_source one = {1, DIM, read_row, row};
    for (int f = 0; f < N_ROW_FORMS; f++) {
        round_trip(&one, (enum row_form)f, out);
        for (int d = 0; d < DIM; d++)
            assert_true(fabsf(out[d] - row[d]) < 1e-6f);
    }
}

/* From the smallest float that is not zero to an eighth of the largest: the 15 steps between a row's smallest
 * and largest value must be a float, too; of few levels they are halves, which end earlier. */
static void rows_of_any_size_stay_finite(void **state)
{
    (void)state;
    const float sizes[] = {0x1p-149f, 0x1p-126f, 1e-20f, 1e20f, 0x1p125f};
    const enum row_form forms[] = {ROWS_I4, ROWS_I3, ROWS_I2, ROWS_F32, ROWS_I8, ROWS_I8_LINE};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        float row[DIM] = {sizes[s], -sizes[s], 0.0f, sizes[s] / 2.0f}, out[DIM];
        const struct row_source one = {1, DIM, read_row, row};
        for (size_t f = sizes[s] > 1e19f ? N_FEW_LEVELS : 0; f < sizeof forms / sizeof forms[0]; f++) {
            round_trip(&one, forms[f], out);
            for (int d = 0; d < DIM; d++)
                assert_true(isfinite(out[d]));
        }
    }
}

static void what_a_form_cannot_hold_is_refused(void **state)
{
    (void)state;
    float row[DIM] = {1.0f, 65520.0f};
    struct row_source one = {1, DIM, read_row, row};
    struct stored_rows stored;
    struct collide_error err = {0};
    assert_int_equal(quantize_rows(&one, DIM, ROWS_F16, &stored, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "65520"));
    static const float too_large[] = {70000.0f, 1e6f, 1e20f, 0x1p125f};
    for (size_t i = 0; i < sizeof too_large / sizeof too_large[0]; i++) {
        row[0] = -(row[1] = too_large[i]);
        assert_int_equal(quantize_rows(&one, DIM, ROWS_I4, &stored, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "i4 cannot hold"));
        assert_int_equal(quantize_rows(&one, DIM, ROWS_I2, &stored, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "i2 cannot hold"));
    }
    one.width = DIM - 1;
    assert_int_equal(quantize_rows(&one, DIM - 1, ROWS_I4, &stored, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "a multiple of 2 values, not of 39"));
    one.width = DIM - 2;
    assert_int_equal(quantize_rows(&one, DIM - 2, ROWS_I2, &stored, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "a multiple of 4 values, not of 38"));
    one.width = DIM - 4;
    assert_int_equal(quantize_rows(&one, DIM - 4, ROWS_I3, &stored, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "a multiple of 8 values, not of 36"));
}

static void concatenated_line_rows_repeat_their_scales(void **state)
{
    (void)state;
    struct stored_rows stored;
    assert_int_equal(quantize_rows(&source, 3 * DIM, ROWS_I8_LINE, &stored, NULL), COLLIDE_OK);
    for (uint32_t part = 1; part < 3; part++) {
        float first[DIM], again[DIM];
        dequantize_row(&stored.table, 5, 0, first);
        dequantize_row(&stored.table, 5, part * DIM, again);
        assert_memory_equal(first, again, sizeof first);
    }
    stored_rows_free(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_rows_are_kept_as_they_are),
        cmocka_unit_test(f16_rows_are_off_by_half_a_unit_at_most),
        cmocka_unit_test(i8_elements_are_off_by_half_a_step),
        cmocka_unit_test(i8_rows_keep_their_length),
        cmocka_unit_test(rows_of_few_levels_keep_their_length_but_for_the_rounding_of_their_scales),
        cmocka_unit_test(values_have_the_nearest_of_the_levels_that_are_stored),
        cmocka_unit_test(line_rows_are_off_by_half_a_step_of_their_dimension),
        cmocka_unit_test(line_scales_clip_where_that_pays),
        cmocka_unit_test(rows_of_few_levels_are_off_by_a_step_times_the_root_of_dim),
        cmocka_unit_test(search_is_better_than_the_range),
        cmocka_unit_test(few_levels_lie_nearly_where_they_are_best),
        cmocka_unit_test(zero_rows_stay_zero),
        cmocka_unit_test(i4_values_lie_two_a_byte_low_half_first),
        cmocka_unit_test(values_of_few_bits_lie_one_behind_the_other_low_bits_first),
        cmocka_unit_test(constant_rows_are_kept),
        cmocka_unit_test(rows_of_any_size_stay_finite),
        cmocka_unit_test(what_a_form_cannot_hold_is_refused),
        cmocka_unit_test(concatenated_line_rows_repeat_their_scales),
    };
    return cmocka_run_group_tests(tests, rows_create, NULL);
}
