/* The loss and its gradients against an implementation of the formula in double precision, which knows
 * nothing of slots, threads or shared rows. */
#include "learn/train/objective.h"
#include "learn/train/training.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 9, N_USERS = 6, MAX_DIM = 33 };

static const int lists[] = {0, 1, 2, 3, -1, 2, 5, -1, 0, 4, 6, 7,  8, -1,
                            1, 3, 5, 7, -1, 0, 8, -1, 6, 2, 1, -1, -2};

struct setting {
    uint32_t n_rows;
    uint32_t dim;
    uint32_t n_negatives;
    unsigned n_threads;
    enum backbone users;
    enum item_lengths item_lengths;
};

/* Where the formula is evaluated. */
struct point {
    struct setting setting;
    double temperature;
    double rows[N_ITEMS * MAX_DIM];
    double users[N_USERS * MAX_DIM]; /* by place in the batch */
    double bias[N_ITEMS];
    uint32_t row_of_slot[N_ITEMS]; /* of embeddings */
};

static double dot(const double *x, const double *y, uint32_t dim)
{
    double sum = 0.0;
    for (uint32_t d = 0; d < dim; d++)
        sum += x[d] * y[d];
    return sum;
}

static double score(const struct point *p, const double *user, uint32_t slot, uint32_t item)
{
    const uint32_t dim = p->setting.dim;
    const double *w = p->rows + p->row_of_slot[slot] * dim;
    return dot(user, w, dim) / sqrt(dot(user, user, dim) * dot(w, w, dim)) / p->temperature + p->bias[item];
}

static double user_loss(const struct point *p, const struct batch *b, uint32_t u)
{
    const uint32_t dim = p->setting.dim;
    double user[MAX_DIM] = {0}, sum = 0.0, loss = 0.0;
    for (uint32_t d = 0; p->setting.users != BACKBONE_BAG && d < dim; d++)
        user[d] = p->users[u * dim + d];
    for (uint32_t k = b->input_offsets[u]; k < b->input_offsets[u + 1]; k++)
        for (uint32_t d = 0; d < dim; d++)
            user[d] +=
                (double)b->input_weights[k] * p->rows[p->row_of_slot[b->input_embeddings[k]] * dim + d];
    for (uint32_t j = 0; j < b->n_negatives; j++)
        sum += exp(score(p, user, b->item_embeddings[j], b->items[j]));
    uint32_t n = b->target_offsets[u + 1] - b->target_offsets[u];
    for (uint32_t k = b->target_offsets[u]; k < b->target_offsets[u + 1]; k++) {
        uint32_t i = b->target_items[k];
        loss += log(sum) - score(p, user, b->item_embeddings[i], b->items[i]);
    }
    return loss / sqrt((double)n);
}

static double length_loss(const struct point *p, uint32_t slot)
{
    const double *w = p->rows + p->row_of_slot[slot] * p->setting.dim;
    return pow(dot(w, w, p->setting.dim) - 1.0, 2.0) / 4.0;
}

static double batch_loss(const struct point *p, const struct batch *b)
{
    double loss = 0.0;
    for (uint32_t u = 0; u < b->n_users; u++)
        loss += user_loss(p, b, u);
    for (uint32_t e = 0; p->setting.item_lengths == ITEM_LENGTHS_NEAR_ONE && e < b->n_embeddings; e++)
        loss += length_loss(p, e);
    return loss;
}

static double central_difference(struct point *p, double *parameter, const struct batch *b)
{
    const double step = 1e-5, kept = *parameter;
    *parameter = kept + step;
    double above = batch_loss(p, b);
    *parameter = kept - step;
    double below = batch_loss(p, b);
    *parameter = kept;
    return (above - below) / (2.0 * step);
}

/* Logits reach 1 / 0.1 and are off by a few 2^-24 of that, exponentials and with them gradients by some 1e-6
 * of themselves; a gradient is a sum of up to 50 such terms, each below 30 here. Differences add step^2 / 6
 * times the third derivative, some 1e-7. */
static const double tolerance = 5e-4;

static void compare_with_differences(const struct gradients *g, struct point *p, const struct batch *b)
{
    const uint32_t dim = p->setting.dim;
    double expected_loss = batch_loss(p, b);
    assert_true(fabs(g->loss - expected_loss) < 1e-5 * fabs(expected_loss));
    for (uint32_t slot = 0; slot < b->n_embeddings; slot++)
        for (uint32_t d = 0; d < dim; d++) {
            double expected = central_difference(p, &p->rows[p->row_of_slot[slot] * dim + d], b);
            assert_true(fabs((double)g->embeddings[slot * dim + d] - expected) < tolerance);
        }
    for (uint32_t i = 0; p->setting.users != BACKBONE_BAG && i < b->n_users * dim; i++)
        assert_true(fabs((double)g->users[i] - central_difference(p, &p->users[i], b)) < tolerance);
    for (uint32_t slot = 0; slot < b->n_item_slots; slot++) {
        double expected = central_difference(p, &p->bias[b->items[slot]], b);
        assert_true(fabs((double)g->bias[slot] - expected) < tolerance);
    }
}

/* The same point in float, and what reads it. */
struct scene {
    struct corpus corpus;
    struct parallel *team;
    uint32_t row_of_item[N_ITEMS];
    float rows[N_ITEMS * MAX_DIM], users[N_USERS * MAX_DIM], bias[N_ITEMS];
    struct id_mapping mapping;
    struct embedder *embedder;
    struct sampler *sampler;
    struct objective *objective;
};

static void draw_point(struct scene *s, struct point *p, struct rng *rng)
{
    const uint32_t dim = p->setting.dim;
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        s->row_of_item[i] = (i * 7 + 3) % p->setting.n_rows;
        p->bias[i] = (double)(s->bias[i] = (float)rng_normal(rng));
    }
    for (uint32_t i = 0; i < p->setting.n_rows * dim; i++)
        p->rows[i] = (double)(s->rows[i] = (float)rng_normal(rng));
    for (uint32_t i = 0; i < N_USERS * dim; i++)
        p->users[i] = (double)(s->users[i] = (float)rng_normal(rng));
}

static void scene_create(struct scene *s, const struct point *p, struct rng *rng)
{
    const struct setting *setting = &p->setting;
    fixture_corpus(lists, &s->corpus);
    assert_int_equal(s->corpus.n_items, N_ITEMS);
    s->team = fixture_team(setting->n_threads);
    s->mapping = (struct id_mapping){.n_ids = N_ITEMS,
                                     .n_rows = setting->n_rows,
                                     .n_lookups = 1,
                                     .n_parts = 1,
                                     .combine = COMBINE_SUM,
                                     .width = setting->dim,
                                     .rows_of = s->row_of_item,
                                     .rows = s->rows};
    struct batch_shape shape = {N_USERS, setting->n_negatives, setting->users == BACKBONE_USER ? 0.0f : 0.6f};
    struct batch_limits limits;
    assert_int_equal(batch_limits_find(&s->corpus, &shape, &limits, NULL), COLLIDE_OK);
    struct embedder_options embedder = {&s->mapping, setting->dim, limits.n_item_slots, 0};
    assert_int_equal(embedder_create(&embedder, rng, s->team, &s->embedder, NULL), COLLIDE_OK);
    assert_int_equal(sampler_create(&s->corpus, s->embedder, &shape, &s->sampler, NULL), COLLIDE_OK);
    struct objective_options objective = {setting->dim, (float)p->temperature, setting->item_lengths};
    assert_int_equal(objective_create(&limits, &objective, s->team, &s->objective, NULL), COLLIDE_OK);
}

static void scene_destroy(struct scene *s)
{
    objective_destroy(s->objective);
    sampler_destroy(s->sampler);
    embedder_destroy(s->embedder);
    parallel_destroy(s->team);
    corpus_free(&s->corpus);
}

/* Slots are known by their embeddings, which are rows. */
static void find_rows(const struct scene *s, const float *embeddings, uint32_t n, struct point *p)
{
    const uint32_t dim = p->setting.dim;
    for (uint32_t slot = 0; slot < n; slot++) {
        uint32_t row = 0;
        while (row < p->setting.n_rows &&
               memcmp(s->rows + row * dim, embeddings + slot * dim, dim * sizeof *embeddings) != 0)
            row++;
        assert_true(row < p->setting.n_rows);
        p->row_of_slot[slot] = row;
    }
}

static void check_setting(const struct setting *setting)
{
    const uint32_t users[] = {5, 0, 2, 1, 3, 4};
    struct rng rng = rng_seeded(3, 0);
    struct point p = {.setting = *setting, .temperature = 0.1};
    struct scene s;
    draw_point(&s, &p, &rng);
    scene_create(&s, &p, &rng);
    for (int round = 0; round < 3; round++) {
        const struct batch *batch = sampler_draw(s.sampler, users, N_USERS, &rng);
        const struct parameters at = {.embeddings = embedder_gather(s.embedder),
                                      .users = setting->users == BACKBONE_BAG ? NULL : s.users,
                                      .bias = s.bias};
        find_rows(&s, at.embeddings, batch->n_embeddings, &p);
        struct gradients g = objective_evaluate(s.objective, batch, &at);
        compare_with_differences(&g, &p, batch);
    }
    scene_destroy(&s);
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

static void gradients_match_differences_with_embeddings_of_users(void **state)
{
    (void)state;
    static const enum backbone users[] = {BACKBONE_USER, BACKBONE_BOTH};
    for (int i = 0; i < 2; i++) {
        check_setting(&(struct setting){
            .n_rows = N_ITEMS, .dim = 33, .n_negatives = 7, .n_threads = 2, .users = users[i]});
        check_setting(
            &(struct setting){.n_rows = 4, .dim = 5, .n_negatives = 100, .n_threads = 1, .users = users[i]});
        check_setting(
            &(struct setting){.n_rows = 5, .dim = 8, .n_negatives = 6, .n_threads = 9, .users = users[i]});
    }
}

static void gradients_match_differences_where_lengths_are_held(void **state)
{
    (void)state;
    static const enum backbone users[] = {BACKBONE_BAG, BACKBONE_USER, BACKBONE_BOTH};
    for (int i = 0; i < 3; i++) {
        struct setting s = {.n_rows = N_ITEMS,
                            .dim = 16,
                            .n_negatives = 4,
                            .n_threads = 2,
                            .users = users[i],
                            .item_lengths = ITEM_LENGTHS_NEAR_ONE};
        check_setting(&s);
        s.n_rows = 4;
        s.dim = 5;
        s.n_negatives = 100;
        check_setting(&s);
        s.dim = 1;
        check_setting(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences_with_a_row_per_item),
        cmocka_unit_test(gradients_match_differences_with_shared_rows),
        cmocka_unit_test(more_threads_than_users_are_fine),
        cmocka_unit_test(rows_of_one_dimension_have_no_gradient),
        cmocka_unit_test(gradients_match_differences_with_embeddings_of_users),
        cmocka_unit_test(gradients_match_differences_where_lengths_are_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
