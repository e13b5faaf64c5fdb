/* The loss and its gradients against an implementation of the formula in double precision, which knows
 * nothing of slots, threads or shared rows. */
#include "learn/train/objective.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 9, MAX_DIM = 33 };

static const int lists[] = {0, 1, 2, 3, -1, 2, 5, -1, 0, 4, 6, 7,  8, -1,
                            1, 3, 5, 7, -1, 0, 8, -1, 6, 2, 1, -1, -2};

struct setting {
    uint32_t n_rows;
    uint32_t dim;
    uint32_t n_negatives;
    unsigned n_threads;
};

struct parameters {
    double rows[N_ITEMS * MAX_DIM];
    double bias[N_ITEMS];
};

static double dot(const double *x, const double *y, uint32_t dim)
{
    double sum = 0.0;
    for (uint32_t d = 0; d < dim; d++)
        sum += x[d] * y[d];
    return sum;
}

static double score(const struct parameters *p, const double *bag, uint32_t row, uint32_t item, uint32_t dim)
{
    const double *w = p->rows + row * dim;
    return dot(bag, w, dim) / sqrt(dot(bag, bag, dim) * dot(w, w, dim)) / 0.1 + p->bias[item];
}

static double user_loss(const struct parameters *p, const struct batch *b, uint32_t u, uint32_t dim)
{
    double bag[MAX_DIM] = {0}, sum = 0.0, loss = 0.0;
    for (uint32_t k = b->input_offsets[u]; k < b->input_offsets[u + 1]; k++)
        for (uint32_t d = 0; d < dim; d++)
            bag[d] += (double)b->input_weights[k] * p->rows[b->rows[b->input_rows[k]] * dim + d];
    for (uint32_t j = 0; j < b->n_negatives; j++)
        sum += exp(score(p, bag, b->rows[b->item_rows[j]], b->items[j], dim));
    uint32_t n = b->target_offsets[u + 1] - b->target_offsets[u];
    for (uint32_t k = b->target_offsets[u]; k < b->target_offsets[u + 1]; k++) {
        uint32_t i = b->target_items[k];
        loss += log(sum) - score(p, bag, b->rows[b->item_rows[i]], b->items[i], dim);
    }
    return loss / sqrt((double)n);
}

static double batch_loss(const struct parameters *p, const struct batch *b, uint32_t dim)
{
    double loss = 0.0;
    for (uint32_t u = 0; u < b->n_users; u++)
        loss += user_loss(p, b, u, dim);
    return loss;
}

static double central_difference(struct parameters *p, double *parameter, const struct batch *b, uint32_t dim)
{
    const double step = 1e-5, kept = *parameter;
    *parameter = kept + step;
    double above = batch_loss(p, b, dim);
    *parameter = kept - step;
    double below = batch_loss(p, b, dim);
    *parameter = kept;
    return (above - below) / (2.0 * step);
}

/* Logits reach 1 / 0.1 and are off by a few 2^-24 of that, exponentials and with them gradients by some 1e-6
 * of themselves; a gradient is a sum of up to 50 such terms, each below 30 here. Differences add step^2 / 6
 * times the third derivative, some 1e-7. */
static const double tolerance = 5e-4;

static void compare_with_differences(const struct gradients *g, struct parameters *p, const struct batch *b,
                                     uint32_t dim)
{
    double expected_loss = batch_loss(p, b, dim);
    assert_true(fabs(g->loss - expected_loss) < 1e-5 * fabs(expected_loss));
    for (uint32_t slot = 0; slot < b->n_row_slots; slot++)
        for (uint32_t d = 0; d < dim; d++) {
            double expected = central_difference(p, &p->rows[b->rows[slot] * dim + d], b, dim);
            assert_true(fabs((double)g->rows[slot * dim + d] - expected) < tolerance);
        }
    for (uint32_t slot = 0; slot < b->n_item_slots; slot++) {
        double expected = central_difference(p, &p->bias[b->items[slot]], b, dim);
        assert_true(fabs((double)g->bias[slot] - expected) < tolerance);
    }
}

static void check_setting(const struct setting *s)
{
    struct corpus corpus;
    fixture_corpus(lists, &corpus);
    assert_int_equal(corpus.n_items, N_ITEMS);
    uint32_t row_of_item[N_ITEMS], users[] = {5, 0, 2, 1, 3, 4};
    struct rng rng = rng_seeded(3, 0);
    struct parameters p;
    float rows[N_ITEMS * MAX_DIM], bias[N_ITEMS];
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        row_of_item[i] = (i * 7 + 3) % s->n_rows;
        p.bias[i] = (double)(bias[i] = (float)rng_normal(&rng));
    }
    for (uint32_t i = 0; i < s->n_rows * s->dim; i++)
        p.rows[i] = (double)(rows[i] = (float)rng_normal(&rng));

    struct batch_shape shape = {s->n_rows, 6, s->n_negatives, 0.6f};
    struct sampler *sampler = NULL;
    struct objective *objective = NULL;
    struct parallel *team = fixture_team(s->n_threads);
    assert_int_equal(sampler_create(&corpus, row_of_item, &shape, &sampler, NULL), COLLIDE_OK);
    struct batch_limits limits = sampler_limits(sampler);
    assert_int_equal(objective_create(&limits, s->dim, 0.1f, team, &objective, NULL), COLLIDE_OK);
    for (int round = 0; round < 3; round++) {
        const struct batch *batch = sampler_draw(sampler, users, 6, &rng);
        struct gradients g = objective_evaluate(objective, batch, rows, bias);
        compare_with_differences(&g, &p, batch, s->dim);
    }
    objective_destroy(objective);
    sampler_destroy(sampler);
    parallel_destroy(team);
    corpus_free(&corpus);
}

static void gradients_match_differences_with_a_row_per_item(void **state)
{
    (void)state;
    check_setting(&(struct setting){.n_rows = N_ITEMS, .dim = 5, .n_negatives = 4, .n_threads = 1});
    check_setting(&(struct setting){.n_rows = N_ITEMS, .dim = 33, .n_negatives = 7, .n_threads = 2});
}

static void gradients_match_differences_with_shared_rows(void **state)
{
    (void)state;
    check_setting(&(struct setting){.n_rows = 4, .dim = 5, .n_negatives = 5, .n_threads = 1});
    check_setting(&(struct setting){.n_rows = 4, .dim = 16, .n_negatives = 100, .n_threads = 3});
    check_setting(&(struct setting){.n_rows = 1, .dim = 3, .n_negatives = 100, .n_threads = 2});
}

static void more_threads_than_users_are_fine(void **state)
{
    (void)state;
    check_setting(&(struct setting){.n_rows = 5, .dim = 8, .n_negatives = 6, .n_threads = 9});
}

/* A direction of one dimension is a sign: no row can be turned, so only biases learn. */
static void rows_of_one_dimension_have_no_gradient(void **state)
{
    (void)state;
    check_setting(&(struct setting){.n_rows = 4, .dim = 1, .n_negatives = 6, .n_threads = 2});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences_with_a_row_per_item),
        cmocka_unit_test(gradients_match_differences_with_shared_rows),
        cmocka_unit_test(more_threads_than_users_are_fine),
        cmocka_unit_test(rows_of_one_dimension_have_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
