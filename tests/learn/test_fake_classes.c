/* What training reads of items that share weights and biases, against the classes that models store. */
#include "learn/train/fake_classes.h"
#include "learn_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const int lists[] = {0, 1, 2, 3, -1, 0, 1, 4, -1, 0, 1, 5, 6, -1, 0, 2, -1, 0, 7, -1, -2};
enum { N_ITEMS = 8 };

static const float lengths[N_ITEMS] = {1.0f, 0.9f, 1.1f, 1.0f, 2.0f, 1.3f, 0.7f, 1.0f},
                   bias[N_ITEMS] = {3.0f, 2.5f, 1.0f, -1.0f, -1.2f, -0.9f, 0.0f, -1.1f};

static void fit(const struct corpus *corpus, uint32_t bits, double weight_share, struct fake_classes *c)
{
    const struct class_sharing sharing = {bits, weight_share};
    assert_int_equal(fake_classes_fit(c, &sharing, corpus, lengths, bias, NULL), COLLIDE_OK);
}

static void items_are_read_as_their_stored_classes_say(void **state)
{
    (void)state;
    struct corpus corpus;
    struct fake_classes fake = {.weights = NULL};
    fixture_corpus(lists, &corpus);
    assert_int_equal(corpus.n_items, N_ITEMS);
    for (uint32_t bits = 1; bits <= 4; bits++) {
        float weights[N_ITEMS], importance[N_ITEMS];
        struct class_tables stored;
        for (uint32_t i = 0; i < N_ITEMS; i++) {
            weights[i] = corpus.weights[i] * lengths[i];
            importance[i] = class_importance(corpus.counts[i]);
        }
        const struct class_problem problem = {weights, bias, importance, N_ITEMS, {bits, 0.2}};
        assert_int_equal(classes_fit(&problem, &stored, NULL), COLLIDE_OK);
        fit(&corpus, bits, 0.2, &fake);
        for (uint32_t i = 0; i < N_ITEMS; i++) {
            const uint32_t code = class_tables_code(&stored, i);
            assert_true(fake.weights[i] == stored.weights[code]);
            assert_true(fake.bias[i] == stored.bias[code]);
        }
        class_tables_free(&stored);
    }
    fake_classes_free(&fake);
    corpus_free(&corpus);
}

static void a_class_for_everybody_leaves_them_as_they_are(void **state)
{
    (void)state;
    struct corpus corpus;
    struct fake_classes fake = {.weights = NULL};
    fixture_corpus(lists, &corpus);
    fit(&corpus, 4, 1.0, &fake);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        const float weight = corpus.weights[i] * lengths[i];
        assert_true(fake.bias[i] == bias[i]);
        assert_true(fake.weights[i] > 0.99999f * weight && fake.weights[i] < 1.00001f * weight);
    }
    fake_classes_free(&fake);
    corpus_free(&corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_read_as_their_stored_classes_say),
        cmocka_unit_test(a_class_for_everybody_leaves_them_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
