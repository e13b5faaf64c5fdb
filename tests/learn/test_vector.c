#include "base/rng.h"
#include "learn/train/vector.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N = 1000 };

static const size_t lengths[] = {1, 2, 3, 15, 16, 17, 33, N};
enum { N_LENGTHS = sizeof lengths / sizeof *lengths };

static void exp_is_within_its_bound_over_the_whole_range(void **state)
{
    (void)state;
    static float x[N], out[N];
    const int n_chunks = 1000;
    for (int chunk = 0; chunk < n_chunks; chunk++) {
        for (int i = 0; i < N; i++)
            x[i] = -87.0f + 175.0f * (float)(chunk * N + i) / (float)(n_chunks * N);
        vector_exp(x, 0.0f, out, N);
        for (int i = 0; i < N; i++) {
            double exact = exp((double)x[i]);
            assert_true(fabs((double)out[i] - exact) < 0x1p-22 * exact);
        }
    }
}

static void exp_clamps_what_a_float_cannot_hold(void **state)
{
    (void)state;
    const float x[] = {-INFINITY, -1e30f, -88.0f, 0.0f, 89.0f, INFINITY};
    float out[6];
    vector_exp(x, 0.0f, out, 6);
    for (int i = 0; i < 6; i++)
        assert_true(isnormal(out[i]));
    assert_float_equal(out[3], 1.0f, 0.0f);
    assert_float_equal(out[0], out[2], 0.0f);
    assert_float_equal(out[4], out[5], 0.0f);
}

static void softmax_matches_double_arithmetic(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 0);
    for (size_t l = 0; l < N_LENGTHS; l++) {
        size_t n = lengths[l];
        float logits[N], bias[N];
        double exact[N], sum = 0.0;
        for (size_t i = 0; i < n; i++) {
            logits[i] = (float)rng_normal(&rng);
            bias[i] = (float)rng_normal(&rng);
            exact[i] = exp(10.0 * (double)logits[i] + (double)bias[i]);
            sum += exact[i];
        }
        float log_sum = vector_softmax(logits, bias, 10.0f, 3.0f, n);
        /* Logits up to 50 are off by 2^-24 of themselves, so their exponentials by 3e-6, the sum's rounding
         * besides. */
        assert_true(fabs((double)log_sum - log(sum)) < 1e-5);
        for (size_t i = 0; i < n; i++)
            assert_true(fabs((double)logits[i] - 3.0 * exact[i] / sum) < 1e-5 * 3.0 * exact[i] / sum + 1e-30);
    }
}

static void argmax_gives_the_first_of_equals_and_only_what_is_above(void **state)
{
    (void)state;
    float x[N], offset[N] = {0};
    for (size_t i = 0; i < N; i++)
        x[i] = 1.0f;
    x[700] = x[300] = 5.0f;
    offset[300] = offset[500] = 1.0f;
    x[500] = 5.0f;
    float best = -INFINITY;
    assert_int_equal(vector_argmax_above(x, offset, N, &best), 700);
    assert_float_equal(best, 5.0f, 0.0f);
    assert_int_equal(vector_argmax_above(x, offset, N, &best), N);
    best = -INFINITY;
    assert_int_equal(vector_argmax_above(x, offset, 600, &best), 300);
    assert_float_equal(best, 4.0f, 0.0f);
}

static void normalising_gives_length_one_and_leaves_zero_alone(void **state)
{
    (void)state;
    float x[] = {3.0f, 0.0f, -4.0f}, zero[17] = {0}, nothing[17] = {0};
    assert_float_equal(vector_normalise(x, 3), 5.0f, 1e-6);
    assert_float_equal(x[0], 0.6f, 1e-6);
    assert_float_equal(x[2], -0.8f, 1e-6);
    assert_float_equal(vector_normalise(zero, 17), 0.0f, 0.0f);
    assert_memory_equal(zero, nothing, sizeof zero);
}

static void multiplying_goes_element_by_element(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(3, 0);
    for (int l = 0; l < N_LENGTHS; l++) {
        float x[N], y[N], expected[N];
        for (size_t i = 0; i < lengths[l]; i++) {
            x[i] = (float)rng_normal(&rng);
            y[i] = (float)rng_normal(&rng);
            expected[i] = x[i] * y[i];
        }
        vector_multiply(x, y, lengths[l]);
        assert_memory_equal(y, expected, lengths[l] * sizeof *y);
    }
}

static void range_finds_both_ends_wherever_they_are(void **state)
{
    (void)state;
    for (int l = 0; l < N_LENGTHS; l++)
        for (size_t at = 0; at < lengths[l]; at++) {
            float x[N], low, high;
            for (size_t i = 0; i < lengths[l]; i++)
                x[i] = 2.0f;
            size_t other = lengths[l] - 1 - at;
            x[other] = -3.0f;
            x[at] = 5.0f; /* in the middle of an odd length both are one place */
            vector_range(x, lengths[l], &low, &high);
            assert_float_equal(high, 5.0f, 0.0f);
            float lowest = other != at ? -3.0f : lengths[l] > 1 ? 2.0f : 5.0f;
            assert_float_equal(low, lowest, 0.0f);
        }
}

/* Of x near the middle of two levels either will do: places on the scale are off by a few 2^-24 of 255. */
static void rounding_finds_the_nearest_level(void **state)
{
    (void)state;
    const struct vector_levels levels = {.scale = 0.02f, .offset = -1.1f};
    const float lasts[] = {1.0f, 3.0f, 15.0f, 255.0f};
    struct rng rng = rng_seeded(4, 0);
    for (int l = 0; l < 4; l++) {
        float x[N], q[N];
        for (size_t i = 0; i < N; i++)
            x[i] = 3.0f * (float)rng_normal(&rng);
        vector_round(x, lasts[l], levels, q, N);
        for (size_t i = 0; i < N; i++) {
            double at = ((double)x[i] - (double)levels.offset) / (double)levels.scale, nearest = INFINITY;
            for (double level = 0.0; level <= (double)lasts[l]; level += 1.0)
                nearest = fmin(nearest, fabs(at - level));
            assert_true(q[i] == floorf(q[i]) && q[i] >= 0.0f && q[i] <= lasts[l]);
            assert_true(fabs(at - (double)q[i]) <= nearest + 1e-4);
        }
    }
}

static void levels_of_no_scale_round_to_the_first(void **state)
{
    (void)state;
    const float x[] = {-1e30f, -1.0f, 0.0f, 0.5f, 1e30f};
    float q[5];
    vector_round(x, 15.0f, (struct vector_levels){.scale = 0.0f, .offset = 0.5f}, q, 5);
    for (int i = 0; i < 5; i++)
        assert_float_equal(q[i], 0.0f, 0.0f);
}

/* Against the regression line by deviations from means. Sums of products are off by some 2^-24 of 1000 * 15 *
 * 15 at worst, before differences of about a quarter of that. */
static void fitted_levels_are_the_regression_line(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(5, 0);
    for (int l = 1; l < N_LENGTHS; l++) {
        size_t n = lengths[l];
        float x[N], q[N];
        double mean_x = 0.0, mean_q = 0.0, xq = 0.0, qq = 0.0;
        for (size_t i = 0; i < n; i++) {
            q[i] = i < 2 ? (float)(15 * i) : (float)rng_below(&rng, 16);
            x[i] = 0.1f * q[i] - 0.7f + 0.05f * (float)rng_normal(&rng);
            mean_x += (double)x[i] / (double)n;
            mean_q += (double)q[i] / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            xq += ((double)x[i] - mean_x) * ((double)q[i] - mean_q);
            qq += ((double)q[i] - mean_q) * ((double)q[i] - mean_q);
        }
        struct vector_levels levels = vector_fit_levels(x, q, n);
        assert_true(fabs((double)levels.scale - xq / qq) < 1e-5);
        assert_true(fabs((double)levels.offset - (mean_x - xq / qq * mean_q)) < 1e-4);
    }
}

static void values_on_one_level_are_fitted_by_their_mean(void **state)
{
    (void)state;
    const float x[] = {1.0f, 2.0f, 6.0f}, q[] = {4.0f, 4.0f, 4.0f};
    struct vector_levels levels = vector_fit_levels(x, q, 3);
    assert_float_equal(levels.scale, 0.0f, 0.0f);
    assert_float_equal(levels.offset, 3.0f, 1e-6);
}

static void unrounding_gives_the_levels(void **state)
{
    (void)state;
    const struct vector_levels levels = {.scale = 0.25f, .offset = -1.5f};
    float q[N];
    for (int i = 0; i < N; i++)
        q[i] = (float)(i % 256);
    vector_unround(levels, q, N);
    /* Quarters are exact. */
    for (int i = 0; i < N; i++)
        assert_float_equal(q[i], (float)(i % 256) / 4.0f - 1.5f, 0.0f);
}

/* Adam as its paper has it, bias correction on the moments themselves. */
static void adam_follows_its_paper(void **state)
{
    (void)state;
    enum { WIDTH = 19, STEPS = 50 };
    float x[WIDTH] = {0}, m[WIDTH] = {0}, v[WIDTH] = {0}, gradient[WIDTH];
    double exact_x[WIDTH] = {0}, exact_m[WIDTH] = {0}, exact_v[WIDTH] = {0};
    struct rng rng = rng_seeded(2, 0);
    for (uint32_t t = 1; t <= STEPS; t++) {
        for (int i = 0; i < WIDTH; i++) {
            gradient[i] = (float)rng_normal(&rng);
            double g = (double)gradient[i];
            exact_m[i] = 0.9 * exact_m[i] + 0.1 * g;
            exact_v[i] = 0.999 * exact_v[i] + 0.001 * g * g;
            exact_x[i] -=
                0.01 * exact_m[i] / (1.0 - pow(0.9, t)) / (sqrt(exact_v[i] / (1.0 - pow(0.999, t))) + 1e-8);
        }
        struct adam_step step = {.rate = 0.01f, .n_steps = t};
        vector_adam(&step, gradient, x, m, v, WIDTH);
    }
    /* A step is at most 0.01 * sqrt(10); 1 - 0.999^t as floats costs it 2^-24 / 0.001 of itself at worst. */
    for (int i = 0; i < WIDTH; i++)
        assert_true(fabs((double)x[i] - exact_x[i]) < STEPS * 0.0316 * 6e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_within_its_bound_over_the_whole_range),
        cmocka_unit_test(exp_clamps_what_a_float_cannot_hold),
        cmocka_unit_test(softmax_matches_double_arithmetic),
        cmocka_unit_test(argmax_gives_the_first_of_equals_and_only_what_is_above),
        cmocka_unit_test(normalising_gives_length_one_and_leaves_zero_alone),
        cmocka_unit_test(multiplying_goes_element_by_element),
        cmocka_unit_test(range_finds_both_ends_wherever_they_are),
        cmocka_unit_test(rounding_finds_the_nearest_level),
        cmocka_unit_test(levels_of_no_scale_round_to_the_first),
        cmocka_unit_test(fitted_levels_are_the_regression_line),
        cmocka_unit_test(values_on_one_level_are_fitted_by_their_mean),
        cmocka_unit_test(unrounding_gives_the_levels),
        cmocka_unit_test(adam_follows_its_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
