#include "learn/train/batch.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 12, N_USERS = 4, N_ROWS = 5 };

/* The user of item 9 alone does not train. */
static const int lists[] = {0,  1,  2,  3, 4, 5, -1, 9, -1, 6, 7, -1, 8,  9,
                            10, -1, 11, 0, 1, 2, 3,  4, 5,  6, 7, 8,  -1, -2};

struct scene {
    struct corpus corpus;
    uint32_t row_of_item[N_ITEMS];
    struct sampler *sampler;
};

static void scene_create(struct scene *s, uint32_t n_negatives, float input_share)
{
    fixture_corpus(lists, &s->corpus);
    for (uint32_t i = 0; i < N_ITEMS; i++)
        s->row_of_item[i] = i % N_ROWS;
    struct batch_shape shape = {N_ROWS, N_USERS, n_negatives, input_share};
    assert_int_equal(sampler_create(&s->corpus, s->row_of_item, &shape, &s->sampler, NULL), COLLIDE_OK);
}

static void scene_destroy(struct scene *s)
{
    sampler_destroy(s->sampler);
    corpus_free(&s->corpus);
}

static void corpus_leaves_out_users_who_cannot_train_but_counts_their_items(void **state)
{
    (void)state;
    struct corpus c;
    fixture_corpus(lists, &c);
    assert_int_equal(c.n_items, N_ITEMS);
    assert_int_equal(c.histories.n_rows, N_USERS);
    assert_int_equal(c.counts[9], 2);
    assert_true(fabs((double)c.weights[9] - 1.0 / sqrt(3.0)) < 1e-6);
    corpus_free(&c);
}

/* Items and rows are reached through the slots, every slot is used once, negatives' come first. */
static void check_slots(const struct scene *s, const struct batch *b)
{
    unsigned seen_items[N_ITEMS] = {0}, seen_rows[N_ROWS] = {0};
    for (uint32_t i = 0; i < b->n_item_slots; i++) {
        assert_int_equal(++seen_items[b->items[i]], 1);
        assert_int_equal(b->rows[b->item_rows[i]], s->row_of_item[b->items[i]]);
        assert_true(i >= b->n_negatives || b->item_rows[i] < b->n_negative_rows);
    }
    for (uint32_t r = 0; r < b->n_row_slots; r++)
        assert_int_equal(++seen_rows[b->rows[r]], 1);
    struct batch_limits limits = sampler_limits(s->sampler);
    assert_true(b->n_item_slots <= limits.n_item_slots && b->n_row_slots <= limits.n_row_slots);
    assert_true(b->n_negatives <= limits.n_negatives && b->n_users <= limits.n_users);
}

/* A user's inputs (known by row and weight) and targets together are its history. */
static void check_split(const struct scene *s, const struct batch *b, uint32_t u, uint32_t user)
{
    const struct csr *h = &s->corpus.histories;
    double rows_left[N_ROWS] = {0};
    for (uint64_t k = h->offsets[user]; k < h->offsets[user + 1]; k++)
        rows_left[s->row_of_item[h->values[k]]] += (double)s->corpus.weights[h->values[k]];
    for (uint32_t k = b->input_offsets[u]; k < b->input_offsets[u + 1]; k++)
        rows_left[b->rows[b->input_rows[k]]] -= (double)b->input_weights[k];
    for (uint32_t k = b->target_offsets[u]; k < b->target_offsets[u + 1]; k++) {
        uint32_t item = b->items[b->target_items[k]];
        rows_left[s->row_of_item[item]] -= (double)s->corpus.weights[item];
    }
    for (int r = 0; r < N_ROWS; r++)
        assert_true(fabs(rows_left[r]) < 1e-6);
    assert_true(b->input_offsets[u + 1] > b->input_offsets[u]);
    assert_true(b->target_offsets[u + 1] > b->target_offsets[u]);
}

static void every_history_is_split_into_inputs_and_targets(void **state)
{
    (void)state;
    const uint32_t users[N_USERS] = {2, 0, 3, 1};
    const float shares[] = {0.01f, 0.6f, 0.99f};
    for (int i = 0; i < 3; i++) {
        struct scene s;
        struct rng rng = rng_seeded(4, 0);
        scene_create(&s, 3, shares[i]);
        for (int round = 0; round < 200; round++) {
            const struct batch *b = sampler_draw(s.sampler, users, N_USERS, &rng);
            assert_int_equal(b->n_users, N_USERS);
            check_slots(&s, b);
            for (uint32_t u = 0; u < N_USERS; u++)
                check_split(&s, b, u, users[u]);
        }
        scene_destroy(&s);
    }
}

static void negatives_are_distinct_and_uniform(void **state)
{
    (void)state;
    const uint32_t user = 0, n_rounds = 12000;
    const uint32_t sizes[] = {3, 9}; /* drawn with rejection, and by selection */
    for (int i = 0; i < 2; i++) {
        struct scene s;
        struct rng rng = rng_seeded(5, 0);
        uint32_t drawn[N_ITEMS] = {0};
        scene_create(&s, sizes[i], 0.6f);
        for (uint32_t round = 0; round < n_rounds; round++) {
            const struct batch *b = sampler_draw(s.sampler, &user, 1, &rng);
            assert_int_equal(b->n_negatives, sizes[i]);
            check_slots(&s, b);
            for (uint32_t j = 0; j < b->n_negatives; j++)
                drawn[b->items[j]]++;
        }
        /* Binomial: at most five standard deviations of sqrt(12000 / 4) = 55 off. */
        for (int item = 0; item < N_ITEMS; item++)
            assert_true(fabs((double)drawn[item] - (double)n_rounds * sizes[i] / N_ITEMS) < 5.0 * 55.0);
        scene_destroy(&s);
    }
}

static void all_items_are_negatives_when_there_are_no_more(void **state)
{
    (void)state;
    const uint32_t user = 1;
    struct scene s;
    struct rng rng = rng_seeded(6, 0);
    scene_create(&s, 1000, 0.6f);
    const struct batch *b = sampler_draw(s.sampler, &user, 1, &rng);
    assert_int_equal(b->n_negatives, N_ITEMS);
    assert_int_equal(b->n_item_slots, N_ITEMS);
    assert_int_equal(b->n_negative_rows, N_ROWS);
    check_slots(&s, b);
    scene_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus_leaves_out_users_who_cannot_train_but_counts_their_items),
        cmocka_unit_test(every_history_is_split_into_inputs_and_targets),
        cmocka_unit_test(negatives_are_distinct_and_uniform),
        cmocka_unit_test(all_items_are_negatives_when_there_are_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
