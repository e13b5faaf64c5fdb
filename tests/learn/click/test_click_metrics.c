/* Log loss, normalised entropy and AUC against their definitions, spelled out. */
#include "base/rng.h"
#include "learn/click/click_metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 300 };

/* Over all pairs of a click and another. */
static double area_by_pairs(const float *logits, const uint8_t *is_click, size_t n)
{
    double won = 0.0, pairs = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (is_click[i] && !is_click[j]) {
                won += logits[i] > logits[j] ? 1.0 : logits[i] == logits[j] ? 0.5 : 0.0;
                pairs++;
            }
    return won / pairs;
}

static double loss_by_probabilities(const float *logits, const uint8_t *is_click, size_t n)
{
    long double loss = 0.0L;
    for (size_t i = 0; i < n; i++) {
        long double p = 1.0L / (1.0L + expl(-(long double)logits[i]));
        loss -= logl(is_click[i] ? p : 1.0L - p);
    }
    return (double)(loss / (long double)n);
}

static void metrics_match_their_definitions(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(5, 0);
    for (size_t n = 2; n <= MAX; n += 13) {
        float logits[MAX];
        uint8_t is_click[MAX];
        for (size_t i = 0; i < n; i++) {
            logits[i] = (float)rng_below(&rng, 9) / 2.0f - 2.0f; /* with many ties */
            is_click[i] = i < 2 ? i == 1 : rng_below(&rng, 3) == 0;
        }
        double p = 0.0;
        for (size_t i = 0; i < n; i++)
            p += is_click[i] / (double)n;
        struct click_quality q;
        assert_int_equal(click_quality_measure(logits, is_click, n, &q, NULL), COLLIDE_OK);
        double loss = loss_by_probabilities(logits, is_click, n);
        assert_int_equal(q.n, n);
        assert_true(fabs(q.base_rate - p) < 1e-12);
        assert_true(fabs(q.log_loss - loss) < 1e-12);
        assert_true(fabs(q.normalised_entropy - loss / -(p * log(p) + (1 - p) * log(1 - p))) < 1e-12);
        assert_true(fabs(q.auc - area_by_pairs(logits, is_click, n)) < 1e-12);
    }
}

static void always_saying_the_base_rate_has_normalised_entropy_1(void **state)
{
    (void)state;
    const uint8_t is_click[] = {0, 1, 0, 0, 0, 1, 0, 0};
    float logits[8];
    struct click_quality q;
    for (int i = 0; i < 8; i++)
        logits[i] = (float)log(0.25 / 0.75);
    assert_int_equal(click_quality_measure(logits, is_click, 8, &q, NULL), COLLIDE_OK);
    assert_true(fabs(q.normalised_entropy - 1.0) < 1e-6); /* the logit is rounded to a float */
    assert_true(q.auc == 0.5);
}

static void right_and_wrong_orders_are_1_and_0(void **state)
{
    (void)state;
    const float logits[] = {-3, -1, 2, 5};
    const uint8_t right[] = {0, 0, 1, 1}, wrong[] = {1, 1, 0, 0};
    struct click_quality q;
    assert_int_equal(click_quality_measure(logits, right, 4, &q, NULL), COLLIDE_OK);
    assert_true(q.auc == 1.0);
    assert_int_equal(click_quality_measure(logits, wrong, 4, &q, NULL), COLLIDE_OK);
    assert_true(q.auc == 0.0);
}

static void one_kind_alone_has_no_area(void **state)
{
    (void)state;
    const float logits[] = {-3, -1};
    const uint8_t none[] = {0, 0}, all[] = {1, 1};
    struct click_quality q;
    assert_int_equal(click_quality_measure(logits, none, 2, &q, NULL), COLLIDE_OK);
    assert_true(isnan(q.auc) && isnan(q.normalised_entropy) && q.base_rate == 0.0 && q.log_loss > 0.0);
    assert_int_equal(click_quality_measure(logits, all, 2, &q, NULL), COLLIDE_OK);
    assert_true(isnan(q.auc) && isnan(q.normalised_entropy) && q.base_rate == 1.0);
}

/* exp(-1000) is 0 and exp(1000) infinite; the loss is the distance. */
static void far_logits_lose_what_they_are_off_by(void **state)
{
    (void)state;
    assert_true(click_log_loss(1000.0, 0) == 1000.0);
    assert_true(click_log_loss(-1000.0, 1) == 1000.0);
    assert_true(click_log_loss(1000.0, 1) == 0.0);
    assert_true(fabs(click_log_loss(0.0, 1) - log(2.0)) < 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_match_their_definitions),
        cmocka_unit_test(always_saying_the_base_rate_has_normalised_entropy_1),
        cmocka_unit_test(right_and_wrong_orders_are_1_and_0),
        cmocka_unit_test(one_kind_alone_has_no_area),
        cmocka_unit_test(far_logits_lose_what_they_are_off_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
