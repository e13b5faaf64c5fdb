/* Classes of ids, against sums and means worked out here. */
#include "learn/store/classes.h"

#include "base/rng.h"
#include "model/id_values.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N_IDS = 600 };

static float weights[N_IDS], bias[N_IDS], importance[N_IDS];

static struct class_problem problem(uint32_t bits)
{
    return (struct class_problem){weights, bias, importance, N_IDS, {bits, 0.25}};
}

static struct class_tables fit(const struct class_problem *p)
{
    struct class_tables tables;
    struct collide_error err = {0};
    if (classes_fit(p, &tables, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_int_equal(tables.bits, p->sharing.bits);
    return tables;
}

/* Bit by bit. */
static uint32_t code_of(const struct class_tables *t, uint32_t id)
{
    uint32_t code = 0;
    for (uint32_t b = 0; b < t->bits; b++) {
        uint32_t at = id * t->bits + b;
        code |= (t->words[at / 32] >> at % 32 & 1) << b;
    }
    return code;
}

/* As learned: weights of 1 / sqrt(count), biases that grow with the count, a few ids never seen. */
static void draw(uint64_t seed)
{
    struct rng rng = rng_seeded(seed, 0);
    for (uint32_t i = 0; i < N_IDS; i++) {
        double count = exp(6.0 * rng_double(&rng) * rng_double(&rng));
        weights[i] = (float)((0.8 + 0.4 * rng_double(&rng)) / sqrt(count + 1.0));
        bias[i] = (float)(log(count) + 0.3 * rng_normal(&rng));
        importance[i] = (float)count;
        if (rng_below(&rng, 40) == 0)
            weights[i] = 0.0f;
    }
}

static double distance(const struct class_problem *p, uint32_t id, double class_weight, double class_bias)
{
    double by_bias = (double)p->bias[id] - class_bias, by_weight = log((double)p->weights[id] / class_weight);
    return by_bias * by_bias + p->sharing.weight_share * by_weight * by_weight;
}

/* What is to be minimised. */
static double objective(const struct class_problem *p, const struct class_tables *t)
{
    double sum = 0.0;
    for (uint32_t id = 0; id < p->n_ids; id++) {
        uint32_t c = code_of(t, id);
        if (p->weights[id] > 0.0f)
            sum += (double)p->importance[id] * distance(p, id, (double)t->weights[c], (double)t->bias[c]);
    }
    return sum;
}

static void the_unknown_id_and_those_without_weight_have_a_class_to_themselves(void **state)
{
    (void)state;
    for (uint32_t bits = 1; bits <= MODEL_MAX_CLASS_BITS; bits++) {
        draw(bits);
        const struct class_problem p = problem(bits);
        struct class_tables t = fit(&p);
        float lowest = bias[0];
        for (uint32_t id = 0; id < N_IDS; id++)
            lowest = fminf(lowest, bias[id]);
        assert_true(t.weights[0] == 0.0f && t.bias[0] == lowest);
        assert_int_equal(code_of(&t, N_IDS), 0);
        for (uint32_t id = 0; id < N_IDS; id++) {
            assert_in_range(code_of(&t, id), 0, (1u << bits) - 1);
            assert_int_equal(code_of(&t, id) == 0, weights[id] == 0.0f);
        }
        class_tables_free(&t);
    }
}

/* To the rounding of the tables to floats. */
static void ids_are_in_the_class_next_to_them_and_classes_are_their_means(void **state)
{
    (void)state;
    for (uint32_t bits = 1; bits <= MODEL_MAX_CLASS_BITS; bits++) {
        draw(10 + bits);
        const struct class_problem p = problem(bits);
        struct class_tables t = fit(&p);
        double n[256] = {0}, biases[256] = {0}, logs[256] = {0};
        for (uint32_t id = 0; id < N_IDS; id++) {
            uint32_t own = code_of(&t, id);
            n[own] += (double)importance[id];
            biases[own] += (double)importance[id] * (double)bias[id];
            logs[own] += own ? (double)importance[id] * log((double)weights[id]) : 0.0;
            for (uint32_t c = 1; own && c < 1u << bits; c++)
                if (t.weights[c] > 0.0f)
                    assert_true(distance(&p, id, (double)t.weights[own], (double)t.bias[own]) <=
                                distance(&p, id, (double)t.weights[c], (double)t.bias[c]) + 1e-5);
        }
        for (uint32_t c = 1; c < 1u << bits; c++)
            if (n[c] > 0.0) {
                assert_true(fabs(biases[c] / n[c] - (double)t.bias[c]) < 1e-5);
                assert_true(fabs(logs[c] / n[c] - log((double)t.weights[c])) < 1e-5);
            }
        class_tables_free(&t);
    }
}

/* A bit more leaves a fraction of the error: of points in a plane a quarter for each doubling of both sides'
 * number of steps, so about a half for each bit. */
static void more_classes_leave_less_error(void **state)
{
    (void)state;
    draw(3);
    double before = INFINITY;
    for (uint32_t bits = 1; bits <= MODEL_MAX_CLASS_BITS; bits++) {
        const struct class_problem p = problem(bits);
        struct class_tables t = fit(&p);
        double now = objective(&p, &t);
        assert_true(now < 0.7 * before);
        before = now;
        class_tables_free(&t);
    }
}

/* Seven heaps apart from one another, of three classes of weights, and seven classes for them. */
static void heaps_that_lie_apart_are_told_apart(void **state)
{
    (void)state;
    static const float heaps[7][2] = {{1, -3}, {1, 0}, {1, 3}, {8, -3}, {8, 3}, {64, 0}, {64, 5}};
    struct rng rng = rng_seeded(5, 0);
    for (uint32_t id = 0; id < N_IDS; id++) {
        weights[id] = heaps[id % 7][0] * (float)(1.0 + 0.01 * rng_double(&rng));
        bias[id] = heaps[id % 7][1] + (float)(0.01 * rng_double(&rng));
        importance[id] = 1.0f;
    }
    const struct class_problem p = problem(3);
    struct class_tables t = fit(&p);
    for (uint32_t id = 0; id < N_IDS; id++) {
        assert_int_equal(code_of(&t, id), code_of(&t, id % 7));
        for (uint32_t other = 0; other < id % 7; other++)
            assert_int_not_equal(code_of(&t, id), code_of(&t, other));
    }
    class_tables_free(&t);
}

/* Of two ids in one class the more important one draws it to itself. */
static void classes_lie_where_importance_is(void **state)
{
    (void)state;
    static const float two_weights[] = {1.0f, 4.0f}, two_biases[] = {0.0f, 1.0f}, shares[] = {3.0f, 1.0f},
                       none[] = {0.0f, 0.0f}, one[] = {0.0f, 2.0f};
    struct class_problem p = {two_weights, two_biases, shares, 2, {1, 1.0}};
    struct class_tables t = fit(&p);
    assert_true(fabsf(t.bias[1] - 0.25f) < 1e-6f && fabsf(t.weights[1] - sqrtf(2.0f)) < 1e-6f);
    class_tables_free(&t);
    p.importance = none;
    t = fit(&p);
    assert_true(fabsf(t.bias[1] - 0.5f) < 1e-6f && fabsf(t.weights[1] - 2.0f) < 1e-6f);
    class_tables_free(&t);
    p.importance = one;
    t = fit(&p);
    assert_true(t.bias[1] == 1.0f && fabsf(t.weights[1] - 4.0f) < 1e-6f);
    assert_int_equal(code_of(&t, 0), 1);
    class_tables_free(&t);
    p.importance = shares;
    p.sharing.weight_share = 0.0;
    t = fit(&p);
    assert_true(fabsf(t.bias[1] - 0.25f) < 1e-6f && fabsf(t.weights[1] - sqrtf(2.0f)) < 1e-6f);
    class_tables_free(&t);
}

static void classes_that_nobody_needs_are_that_of_the_unknown_id(void **state)
{
    (void)state;
    static const float w[] = {2.0f, 2.0f, 0.5f, 0.0f}, b[] = {1.0f, 1.0f, -1.0f, 7.0f},
                       i[] = {1.0f, 2.0f, 1.0f, 1.0f};
    const struct class_problem p = {w, b, i, 4, {4, 1.0}}, empty = {w, b, i, 0, {2, 1.0}};
    struct class_tables t = fit(&p);
    assert_int_equal(code_of(&t, 0), code_of(&t, 1));
    assert_int_not_equal(code_of(&t, 0), code_of(&t, 2));
    assert_true(objective(&p, &t) < 1e-12);
    unsigned n_used = 0;
    for (uint32_t c = 0; c < 16; c++) {
        n_used += t.weights[c] > 0.0f;
        assert_true(t.weights[c] > 0.0f || t.bias[c] == -1.0f);
    }
    assert_int_equal(n_used, 2);
    class_tables_free(&t);
    t = fit(&empty);
    assert_true(code_of(&t, 0) == 0 && t.weights[3] == 0.0f && t.bias[3] == 0.0f);
    class_tables_free(&t);
}

static void the_same_ids_give_the_same_classes(void **state)
{
    (void)state;
    draw(8);
    const struct class_problem p = problem(5);
    struct class_tables a = fit(&p), b = fit(&p);
    assert_memory_equal(a.words, b.words, ((N_IDS + 1) * 5 / 32 + 2) * sizeof *a.words);
    assert_memory_equal(a.weights, b.weights, 32 * sizeof *a.weights);
    assert_memory_equal(a.bias, b.bias, 32 * sizeof *a.bias);
    class_tables_free(&a);
    class_tables_free(&b);
}

/* As models read them. */
static void the_tables_are_those_of_a_model(void **state)
{
    (void)state;
    draw(9);
    const struct class_problem p = problem(6);
    struct class_tables t = fit(&p);
    struct model m = {.item = {.n_ids = N_IDS, .classes = {t.words, t.bits, t.weights, t.bias}}};
    for (uint32_t id = 0; id <= N_IDS; id++) {
        assert_true(model_weight_of(&m.item, id) == t.weights[code_of(&t, id)]);
        assert_true(model_bias_of(&m, id) == t.bias[code_of(&t, id)]);
    }
    class_tables_free(&t);
}

static void what_cannot_be_fitted_is_refused(void **state)
{
    (void)state;
    struct class_tables t;
    struct collide_error err = {0};
#define REFUSED(change, says)                                                                                \
    do {                                                                                                     \
        draw(1);                                                                                             \
        struct class_problem p = problem(4);                                                                 \
        change;                                                                                              \
        assert_int_equal(classes_fit(&p, &t, &err), COLLIDE_INVALID);                                        \
        assert_non_null(strstr(err.text, says));                                                             \
    } while (0)
    REFUSED(p.sharing.bits = 0, "classes of 0 bits");
    REFUSED(p.sharing.bits = 9, "classes of 9 bits");
    REFUSED(p.sharing.weight_share = -1.0, "share of -1");
    REFUSED(p.sharing.weight_share = NAN, "share of");
    REFUSED(weights[5] = -0.5f, "id 5 has weight -0.5");
    REFUSED(weights[5] = INFINITY, "id 5 has weight inf");
    REFUSED(bias[7] = NAN, "id 7 has weight");
    REFUSED(importance[9] = -1.0f, "importance -1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_unknown_id_and_those_without_weight_have_a_class_to_themselves),
        cmocka_unit_test(ids_are_in_the_class_next_to_them_and_classes_are_their_means),
        cmocka_unit_test(more_classes_leave_less_error),
        cmocka_unit_test(heaps_that_lie_apart_are_told_apart),
        cmocka_unit_test(classes_lie_where_importance_is),
        cmocka_unit_test(classes_that_nobody_needs_are_that_of_the_unknown_id),
        cmocka_unit_test(the_same_ids_give_the_same_classes),
        cmocka_unit_test(the_tables_are_those_of_a_model),
        cmocka_unit_test(what_cannot_be_fitted_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
