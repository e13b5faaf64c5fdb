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

/* Rows of one value, their own number: what the embedder gathers says which row a slot has. */
struct scene {
    struct corpus corpus;
    uint32_t row_of_item[N_ITEMS];
    float rows[N_ROWS];
    struct id_mapping mapping;
    struct parallel *team;
    struct embedder *embedder;
    struct batch_limits limits;
    struct sampler *sampler;
    const float *row_of_slot; /* of the last draw */
};

static void scene_create(struct scene *s, uint32_t n_negatives, float input_share)
{
    fixture_corpus(lists, &s->corpus);
    for (uint32_t i = 0; i < N_ITEMS; i++)
        s->row_of_item[i] = i % N_ROWS;
    for (uint32_t r = 0; r < N_ROWS; r++)
        s->rows[r] = (float)r;
    s->mapping = (struct id_mapping){.n_ids = N_ITEMS,
                                     .n_rows = N_ROWS,
                                     .n_lookups = 1,
                                     .n_parts = 1,
                                     .combine = COMBINE_SUM,
                                     .width = 1,
                                     .rows_of = s->row_of_item,
                                     .rows = s->rows};
    s->team = fixture_team(1);
    struct rng rng = rng_seeded(1, 0);
    struct batch_shape shape = {N_USERS, n_negatives, input_share};
    assert_int_equal(batch_limits_find(&s->corpus, &shape, &s->limits, NULL), COLLIDE_OK);
    struct embedder_options options = {&s->mapping, 1, s->limits.n_item_slots, 0};
    assert_int_equal(embedder_create(&options, &rng, s->team, &s->embedder, NULL), COLLIDE_OK);
    assert_int_equal(sampler_create(&s->corpus, s->embedder, &shape, &s->sampler, NULL), COLLIDE_OK);
}

static void scene_destroy(struct scene *s)
{
    sampler_destroy(s->sampler);
    embedder_destroy(s->embedder);
    parallel_destroy(s->team);
    corpus_free(&s->corpus);
}

static const struct batch *draw(struct scene *s, const uint32_t *users, uint32_t n_users, struct rng *rng)
{
    const struct batch *b = sampler_draw(s->sampler, users, n_users, rng);
    assert_int_equal(b->n_embeddings, embedder_n_slots(s->embedder));
    s->row_of_slot = embedder_gather(s->embedder);
    return b;
}

static uint32_t row_of(const struct scene *s, const struct batch *b, uint32_t slot)
{
    assert_true(slot < b->n_embeddings);
    return (uint32_t)s->row_of_slot[slot];
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
    const uint32_t dense_users[N_USERS] = {0, 2, 3, 4};
    assert_memory_equal(c.dense_users, dense_users, sizeof dense_users);
    corpus_free(&c);
}

/* Items and rows are reached through the slots, every slot is used once, negatives' come first. */
static void check_slots(const struct scene *s, const struct batch *b)
{
    unsigned seen_items[N_ITEMS] = {0}, seen_rows[N_ROWS] = {0};
    for (uint32_t i = 0; i < b->n_item_slots; i++) {
        assert_int_equal(++seen_items[b->items[i]], 1);
        assert_int_equal(row_of(s, b, b->item_embeddings[i]), s->row_of_item[b->items[i]]);
        assert_true(i >= b->n_negatives || b->item_embeddings[i] < b->n_negative_embeddings);
    }
    for (uint32_t slot = 0; slot < b->n_embeddings; slot++)
        assert_int_equal(++seen_rows[row_of(s, b, slot)], 1);
    const struct batch_limits *limits = &s->limits;
    assert_true(b->n_item_slots <= limits->n_item_slots && b->n_embeddings <= limits->n_item_slots);
    assert_true(b->n_negatives <= limits->n_negatives && b->n_users <= limits->n_users);
    assert_true(b->input_offsets[b->n_users] + b->target_offsets[b->n_users] <= limits->n_history_items);
}

/* A user's inputs (known by row and weight) and targets together are its history. */
static void check_split(const struct scene *s, const struct batch *b, uint32_t u, uint32_t user)
{
    const struct csr *h = &s->corpus.histories;
    double rows_left[N_ROWS] = {0};
    for (uint64_t k = h->offsets[user]; k < h->offsets[user + 1]; k++)
        rows_left[s->row_of_item[h->values[k]]] += (double)s->corpus.weights[h->values[k]];
    for (uint32_t k = b->input_offsets[u]; k < b->input_offsets[u + 1]; k++)
        rows_left[row_of(s, b, b->input_embeddings[k])] -= (double)b->input_weights[k];
    for (uint32_t k = b->target_offsets[u]; k < b->target_offsets[u + 1]; k++) {
        uint32_t item = b->items[b->target_items[k]];
        rows_left[s->row_of_item[item]] -= (double)s->corpus.weights[item];
    }
    for (int r = 0; r < N_ROWS; r++)
        assert_true(fabs(rows_left[r]) < 1e-6);
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
            const struct batch *b = draw(&s, users, N_USERS, &rng);
            assert_int_equal(b->n_users, N_USERS);
            check_slots(&s, b);
            for (uint32_t u = 0; u < N_USERS; u++) {
                check_split(&s, b, u, users[u]);
                assert_true(b->input_offsets[u + 1] > b->input_offsets[u]);
            }
        }
        scene_destroy(&s);
    }
}

static void without_inputs_all_of_a_history_are_targets(void **state)
{
    (void)state;
    const uint32_t users[N_USERS] = {3, 1, 0, 2};
    struct scene s;
    struct rng rng = rng_seeded(7, 0);
    scene_create(&s, 3, 0.0f);
    for (int round = 0; round < 20; round++) {
        const struct batch *b = draw(&s, users, N_USERS, &rng);
        check_slots(&s, b);
        assert_int_equal(b->input_offsets[N_USERS], 0);
        for (uint32_t u = 0; u < N_USERS; u++)
            check_split(&s, b, u, users[u]);
    }
    scene_destroy(&s);
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
            const struct batch *b = draw(&s, &user, 1, &rng);
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
    const struct batch *b = draw(&s, &user, 1, &rng);
    assert_int_equal(b->n_negatives, N_ITEMS);
    assert_int_equal(b->n_item_slots, N_ITEMS);
    assert_int_equal(b->n_negative_embeddings, N_ROWS);
    check_slots(&s, b);
    scene_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus_leaves_out_users_who_cannot_train_but_counts_their_items),
        cmocka_unit_test(every_history_is_split_into_inputs_and_targets),
        cmocka_unit_test(without_inputs_all_of_a_history_are_targets),
        cmocka_unit_test(negatives_are_distinct_and_uniform),
        cmocka_unit_test(all_items_are_negatives_when_there_are_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
