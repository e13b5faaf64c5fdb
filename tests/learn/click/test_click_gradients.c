/* The loss of a batch and its gradients against central differences of the formula in double precision. */
#include "base/rng.h"
#include "learn/click/click_gradients.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 23, MAX_SPACES = 4, N_SLOTS = 11, N_BIASES = 3, MAX_DIM = 17 };

struct setting {
    uint32_t n_spaces;
    uint32_t dim;
    double l2;
};

struct truth {
    struct setting setting;
    double embeddings[N_SLOTS][MAX_DIM];
    double biases[N_BIASES];
    uint32_t slots[N * MAX_SPACES];
    uint32_t bias_slots[N];
    uint8_t is_click[N];
    double bias_0;
};

static double square(double x)
{
    return x * x;
}

/* The log loss alone, and the whole loss. */
static double loss_of(const struct truth *t, double *log_loss)
{
    const struct setting *s = &t->setting;
    double loss = 0.0, pull = 0.0;
    for (int i = 0; i < N; i++) {
        const uint32_t *slots = t->slots + (uint32_t)i * s->n_spaces;
        double logit = t->biases[t->bias_slots[i]];
        pull += square(t->biases[t->bias_slots[i]] - t->bias_0);
        for (uint32_t d = 0; d < s->dim; d++) {
            double item = t->embeddings[slots[0]][d];
            pull += square(item - (d == 0));
            for (uint32_t f = 1; f < s->n_spaces; f++) {
                logit += t->embeddings[slots[f]][d] * item;
                pull += square(t->embeddings[slots[f]][d]);
            }
        }
        loss += log(1.0 + exp(t->is_click[i] ? -logit : logit));
    }
    *log_loss = loss / N;
    return (loss + s->l2 / 2.0 * pull) / N;
}

static double central_difference(struct truth *t, double *parameter)
{
    const double step = 1e-5, kept = *parameter;
    double unused;
    *parameter = kept + step;
    double above = loss_of(t, &unused);
    *parameter = kept - step;
    double below = loss_of(t, &unused);
    *parameter = kept;
    return (above - below) / (2.0 * step);
}

static void draw(struct truth *t, struct rng *rng)
{
    for (int i = 0; i < N_SLOTS; i++)
        for (int d = 0; d < MAX_DIM; d++)
            t->embeddings[i][d] = (double)(float)(0.5 * rng_normal(rng));
    for (int i = 0; i < N_BIASES; i++)
        t->biases[i] = (double)(float)rng_normal(rng);
    for (int i = 0; i < N * MAX_SPACES; i++)
        t->slots[i] = (uint32_t)rng_below(rng, N_SLOTS);
    for (int i = 0; i < N; i++) {
        t->bias_slots[i] = (uint32_t)rng_below(rng, N_BIASES);
        t->is_click[i] = rng_below(rng, 2) == 0;
    }
    t->bias_0 = -0.25;
}

/* Values are below 10 and made of some 100 float terms of size 1 at most: 1e-5 is a few roundings of each. */
static const double tolerance = 1e-5;

static void check_setting(struct setting setting)
{
    struct truth t = {.setting = setting};
    struct rng rng = rng_seeded(9, setting.dim);
    struct click_gradients *g;
    float embeddings[N_SLOTS * MAX_DIM], biases[N_BIASES];
    assert_int_equal(click_gradients_create(N, setting.n_spaces, setting.dim, &g, NULL), COLLIDE_OK);
    for (int round = 0; round < 2; round++) {
        draw(&t, &rng);
        for (uint32_t i = 0; i < N_SLOTS; i++)
            for (uint32_t d = 0; d < setting.dim; d++)
                embeddings[i * setting.dim + d] = (float)t.embeddings[i][d];
        for (int i = 0; i < N_BIASES; i++)
            biases[i] = (float)t.biases[i];
        const struct click_batch batch = {.n = N,
                                          .n_spaces = setting.n_spaces,
                                          .slots = t.slots,
                                          .bias_slots = t.bias_slots,
                                          .is_click = t.is_click,
                                          .embeddings = embeddings,
                                          .biases = biases,
                                          .n_slots = N_SLOTS,
                                          .n_bias_slots = N_BIASES,
                                          .l2 = (float)setting.l2,
                                          .bias_0 = (float)t.bias_0};
        struct click_result result = click_gradients_evaluate(g, &batch);
        double log_loss;
        loss_of(&t, &log_loss);
        assert_true(fabs(result.log_loss - log_loss) < tolerance);
        for (uint32_t i = 0; i < N_SLOTS; i++)
            for (uint32_t d = 0; d < setting.dim; d++)
                assert_true(fabs((double)result.embeddings[i * setting.dim + d] -
                                 central_difference(&t, &t.embeddings[i][d])) < tolerance);
        for (int i = 0; i < N_BIASES; i++)
            assert_true(fabs((double)result.biases[i] - central_difference(&t, &t.biases[i])) < tolerance);
    }
    click_gradients_destroy(g);
}

static void gradients_match_differences_with_one_feature(void **state)
{
    (void)state;
    check_setting((struct setting){.n_spaces = 2, .dim = 5});
}

static void gradients_match_differences_with_several_features(void **state)
{
    (void)state;
    check_setting((struct setting){.n_spaces = 4, .dim = 17});
    check_setting((struct setting){.n_spaces = 3, .dim = 1});
}

static void gradients_match_differences_when_regularised(void **state)
{
    (void)state;
    check_setting((struct setting){.n_spaces = 2, .dim = 8, .l2 = 0.3});
    check_setting((struct setting){.n_spaces = 4, .dim = 3, .l2 = 2.0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences_with_one_feature),
        cmocka_unit_test(gradients_match_differences_with_several_features),
        cmocka_unit_test(gradients_match_differences_when_regularised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
