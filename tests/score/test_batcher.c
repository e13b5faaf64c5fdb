/* Calls of many threads in one launch: each gets its own scores, and nobody waits for long. */
#include "base/clock.h"
#include "random_query.h"
#include "scorer_fixture.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_THREADS = 6, N_ROUNDS = 40, MAX_QUERIES = 5, MAX_SCORES = MAX_QUERIES * 700 };

static const struct random_model SPEC = {.seed = 71,
                                         .n_items = 1000,
                                         .n_rows = 200,
                                         .n_users = 30,
                                         .max_history = 50,
                                         .dim = 16,
                                         .precision = PRECISION_I8,
                                         .pooling = POOLING_MEAN,
                                         .keys = KEYS_U64,
                                         .flags = RANDOM_WEIGHTS | RANDOM_BIAS};

static struct collide_model *model;

static int open_model(void **state)
{
    (void)state;
    model = random_model_open(&SPEC);
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    collide_model_close(model);
    return 0;
}

/* One thread's calls, and what they gave alone. */
struct caller {
    pthread_t thread;
    struct collide_scorer *scorer;
    struct arena arena;
    struct collide_query *queries[N_ROUNDS];
    size_t n[N_ROUNDS], n_scores[N_ROUNDS];
    float *expected[N_ROUNDS];
    struct collide_counts counts[N_ROUNDS];
    bool sends_nonsense; /* every third round, which must be refused */
    size_t n_wrong;
};

static void prepare(struct caller *c, uint64_t stream, struct collide_lane *alone)
{
    static const struct random_query_limits limits = {.max_history = 300, .max_items = 700};
    struct rng rng = rng_seeded(SPEC.seed, stream);
    for (size_t r = 0; r < N_ROUNDS; r++) {
        c->n[r] = 1 + rng_below(&rng, MAX_QUERIES);
        c->queries[r] = random_queries(&SPEC, &limits, &rng, c->n[r], &c->arena);
        for (size_t i = 0; i < c->n[r]; i++)
            c->n_scores[r] += c->queries[r][i].n_items;
        c->expected[r] = arena_alloc(&c->arena, c->n_scores[r] + 1, sizeof(float));
        assert_non_null(c->expected[r]);
        scorer_fixture_score(alone, c->queries[r], c->n[r], c->expected[r], &c->counts[r]);
    }
}

static bool is_refused(struct collide_lane *lane)
{
    static const float bad[] = {NAN};
    static const struct collide_id id = {.number = 1};
    const struct collide_query nonsense = {
        .history = &id, .weights = bad, .n_history = 1, .items = &id, .n_items = 1};
    float score;
    return collide_score(lane, &nonsense, 1, &score, NULL, NULL) == COLLIDE_INVALID;
}

static void *call(void *argument)
{
    struct caller *c = argument;
    struct collide_lane *lane = NULL;
    float *scores = malloc((MAX_SCORES + 1) * sizeof *scores);
    c->n_wrong += !scores || collide_lane_create(c->scorer, &lane, NULL) != COLLIDE_OK;
    for (size_t r = 0; r < N_ROUNDS && c->n_wrong == 0; r++) {
        struct collide_counts counts;
        if (c->sends_nonsense && r % 3 == 0)
            c->n_wrong += !is_refused(lane);
        c->n_wrong += collide_score(lane, c->queries[r], c->n[r], scores, &counts, NULL) != COLLIDE_OK;
        c->n_wrong += memcmp(scores, c->expected[r], c->n_scores[r] * sizeof *scores) != 0;
        c->n_wrong += memcmp(&counts, &c->counts[r], sizeof counts) != 0;
    }
    collide_lane_destroy(lane);
    free(scores);
    return NULL;
}

static void with_threads(struct collide_scorer_options options)
{
    static struct caller callers[N_THREADS];
    struct scorer_fixture alone, together;
    memset(callers, 0, sizeof callers);
    scorer_fixture_open_with(model, (struct collide_scorer_options){.device = options.device}, &alone);
    scorer_fixture_open_with(model, options, &together);
    for (size_t i = 0; i < N_THREADS; i++) {
        prepare(&callers[i], 10 + i, alone.lane);
        callers[i].scorer = together.scorer;
        callers[i].sends_nonsense = i % 3 == 1;
    }
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(callers[i].thread, NULL);
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(callers[i].n_wrong, 0);
        arena_free(&callers[i].arena);
    }
    scorer_fixture_close(&together);
    scorer_fixture_close(&alone);
}

static void every_caller_gets_its_own_scores_and_counts(void **state)
{
    (void)state;
    devices_list();
    with_threads((struct collide_scorer_options){.device = "0", .max_delay_us = 300});
    with_threads((struct collide_scorer_options){.device = "0", .max_delay_us = 300, .max_batch = 3});
    with_threads((struct collide_scorer_options){.device = "0", .max_delay_us = 1, .max_batch = 1});
    if (devices_list()->n_devices > 1)
        with_threads((struct collide_scorer_options){.device = "1", .max_delay_us = 300});
}

static void lanes_of_several_devices_share_batches(void **state)
{
    (void)state;
    if (devices_list()->n_devices < 2)
        skip();
    struct scorer_fixture f;
    struct collide_lane *other;
    const struct collide_id item = random_model_key(&SPEC, 1);
    const struct collide_query query = {.history = &item, .n_history = 1, .items = &item, .n_items = 1};
    float first, second;
    scorer_fixture_open_with(model, (struct collide_scorer_options){.device = "0,1", .max_delay_us = 10}, &f);
    assert_int_equal(collide_lane_create(f.scorer, &other, NULL), COLLIDE_OK);
    scorer_fixture_score(f.lane, &query, 1, &first, NULL);
    scorer_fixture_score(other, &query, 1, &second, NULL);
    assert_true(fabsf(first - second) <= 1e-5f * fabsf(first));
    collide_lane_destroy(other);
    scorer_fixture_close(&f);
}

/* Would it, the test would run into its time limit. */
static void a_full_batch_does_not_wait(void **state)
{
    enum { DELAY_US = 2000 * 1000 * 1000 };
    (void)state;
    struct scorer_fixture f;
    const struct collide_id item = random_model_key(&SPEC, 1);
    const struct collide_query query = {.items = &item, .n_items = 1};
    const struct collide_query two[] = {query, query};
    float scores[2];
    devices_list();
    scorer_fixture_open_with(
        model, (struct collide_scorer_options){.device = "0", .max_delay_us = DELAY_US, .max_batch = 2}, &f);
    scorer_fixture_score(f.lane, two, 2, scores, NULL);
    scorer_fixture_score(f.lane, NULL, 0, NULL, NULL); /* nothing to wait for */
    scorer_fixture_close(&f);
}

static void a_lone_call_waits_its_delay(void **state)
{
    enum { DELAY_US = 50000 };
    (void)state;
    struct scorer_fixture f;
    const struct collide_id item = random_model_key(&SPEC, 1);
    const struct collide_query query = {.items = &item, .n_items = 1};
    float score;
    devices_list();
    scorer_fixture_open_with(model, (struct collide_scorer_options){.device = "0", .max_delay_us = DELAY_US},
                             &f);
    uint64_t start = clock_now_ns();
    scorer_fixture_score(f.lane, &query, 1, &score, NULL);
    assert_true(clock_now_ns() - start >= DELAY_US * 1000ull);
    scorer_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_caller_gets_its_own_scores_and_counts),
        cmocka_unit_test(lanes_of_several_devices_share_batches),
        cmocka_unit_test(a_full_batch_does_not_wait),
        cmocka_unit_test(a_lone_call_waits_its_delay),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
