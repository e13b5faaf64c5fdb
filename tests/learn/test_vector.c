#include "base/rng.h"
#include "learn/train/vector.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N = 1000 };

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
    const size_t lengths[] = {1, 2, 15, 16, 17, N};
    struct rng rng = rng_seeded(1, 0);
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
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
        cmocka_unit_test(adam_follows_its_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
