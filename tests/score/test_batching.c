/* Requests of all sizes, from many threads, give what single small ones give. */
#include "random_query.h"
#include "score/reference.h"
#include "scorer_fixture.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As in device_lane.c: what a lane holds at first. The sizes here go beyond it. */
enum { LANE_QUERIES = 1024, LANE_HISTORY = 16384, LANE_ITEMS = 16384 };

static struct random_model spec_here(void)
{
    return (struct random_model){.seed = 1019,
                                 .n_items = 5000,
                                 .n_rows = 700,
                                 .n_users = 50,
                                 .max_history = 300,
                                 .dim = 64,
                                 .precision = PRECISION_I8,
                                 .pooling = POOLING_NORMALISED,
                                 .keys = KEYS_U64,
                                 .flags = RANDOM_WEIGHTS | RANDOM_BIAS};
}

/* Queries with all memory they need. */
struct request {
    struct arena arena;
    struct collide_query *queries;
    size_t n;
    size_t n_scores;
};

static void request_free(struct request *r)
{
    arena_free(&r->arena);
}

static const struct collide_id *many_ids(struct request *r, const struct random_model *spec, struct rng *rng,
                                         size_t n)
{
    struct collide_id *ids = arena_alloc(&r->arena, n + 1, sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < n; i++) /* the last one is unknown */
        ids[i] = random_model_key(spec, rng_below(rng, spec->n_items + 1));
    return ids;
}

/* One query for each pair of sizes. */
static struct request request_of_sizes(const struct random_model *spec, const size_t (*sizes)[2], size_t n)
{
    struct request r = {.n = n};
    struct rng rng = rng_seeded(spec->seed, 5);
    r.queries = arena_alloc(&r.arena, n, sizeof *r.queries);
    assert_non_null(r.queries);
    for (size_t i = 0; i < n; i++) {
        r.queries[i] = (struct collide_query){.history = many_ids(&r, spec, &rng, sizes[i][0]),
                                              .n_history = sizes[i][0],
                                              .items = many_ids(&r, spec, &rng, sizes[i][1]),
                                              .n_items = sizes[i][1]};
        r.n_scores += sizes[i][1];
    }
    return r;
}

static struct request random_request(const struct random_model *spec, uint64_t stream, size_t n)
{
    static const struct random_query_limits limits = {.max_history = 64, .max_items = 64};
    struct request r = {.n = n};
    struct rng rng = rng_seeded(spec->seed, stream);
    r.queries = random_queries(spec, &limits, &rng, n, &r.arena);
    for (size_t i = 0; i < n; i++)
        r.n_scores += r.queries[i].n_items;
    return r;
}

/* Owned by the caller. */
static float *score_at_once(struct collide_lane *lane, const struct request *r, struct collide_counts *counts)
{
    float *scores = malloc((r->n_scores + 1) * sizeof *scores);
    assert_non_null(scores);
    scores[r->n_scores] = 123.0f;
    scorer_fixture_score(lane, r->queries, r->n, scores, counts);
    assert_true(scores[r->n_scores] == 123.0f);
    return scores;
}

static void assert_true_scores(const struct collide_model *model, const struct request *r,
                               const float *scores)
{
    for (size_t i = 0; i < r->n; i++) {
        size_t n = r->queries[i].n_items;
        struct reference_score *truth = calloc(n + 1, sizeof *truth);
        assert_non_null(truth);
        assert_int_equal(reference_score(model, &r->queries[i], truth, NULL), COLLIDE_OK);
        for (size_t j = 0; j < n; j++)
            if (!(fabs((double)scores[j] - truth[j].value) <= truth[j].tolerance))
                fail_msg("query %zu, item %zu: %.9g, not %.9g", i, j, (double)scores[j], truth[j].value);
        scores += n;
        free(truth);
    }
}

static void assert_counts(const struct collide_model *model, const struct request *r,
                          const struct collide_counts *counts)
{
    struct collide_counts expected = {0};
    for (size_t i = 0; i < r->n; i++)
        if (r->queries[i].n_items > 0)
            random_query_count(model, &r->queries[i], &expected);
    assert_int_equal(counts->n_lookups, expected.n_lookups);
    assert_int_equal(counts->n_unknown, expected.n_unknown);
}

/* Each query by itself, and the request as a whole, on every setup: the truth, and bit for bit the same. */
static void assert_any_batching_gives_the_same(const struct random_model *spec, const struct request *r)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    struct collide_model *model = random_model_open(spec);
    for (size_t s = 0; s < n_setups; s++) {
        struct scorer_fixture f;
        struct collide_counts counts, one, sum = {0};
        scorer_fixture_open(model, &setups[s], &f);
        float *scores = score_at_once(f.lane, r, &counts);
        assert_true_scores(model, r, scores);
        assert_counts(model, r, &counts);
        float *alone = malloc((r->n_scores + 1) * sizeof *alone), *at = alone;
        assert_non_null(alone);
        for (size_t i = 0; i < r->n; i++) {
            scorer_fixture_score(f.lane, &r->queries[i], 1, at, &one);
            at += r->queries[i].n_items;
            sum.n_unknown += one.n_unknown;
        }
        assert_memory_equal(scores, alone, r->n_scores * sizeof *scores);
        assert_int_equal(counts.n_unknown, sum.n_unknown);
        free(alone);
        free(scores);
        scorer_fixture_close(&f);
    }
    collide_model_close(model);
}

static void more_items_than_a_lane_holds(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{5, LANE_ITEMS - 1},
                                      {5, LANE_ITEMS},
                                      {3, LANE_ITEMS + 1},
                                      {0, 511},
                                      {1, 512},
                                      {2, 513},
                                      {3, 0},
                                      {0, 0},
                                      {7, 3},
                                      {4, 2 * LANE_ITEMS + 7},
                                      {2, 1}};
    struct random_model spec = spec_here();
    struct request r = request_of_sizes(&spec, sizes, sizeof sizes / sizeof *sizes);
    assert_any_batching_gives_the_same(&spec, &r);
    request_free(&r);
}

static void more_queries_than_a_lane_holds(void **state)
{
    (void)state;
    struct random_model spec = spec_here();
    struct request r = random_request(&spec, 6, 3 * LANE_QUERIES);
    assert_any_batching_gives_the_same(&spec, &r);
    request_free(&r);
}

/* The lane must grow, in the midst of other requests and more than once. */
static void longer_histories_than_a_lane_holds(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {
        {LANE_HISTORY, 3},         {10, 3},  {LANE_HISTORY + 1, 700}, {LANE_HISTORY / 2, 5},
        {4 * LANE_HISTORY + 1, 2}, {20, 40}, {LANE_HISTORY * 2, 1}};
    struct random_model spec = spec_here();
    struct request r = request_of_sizes(&spec, sizes, sizeof sizes / sizeof *sizes);
    assert_any_batching_gives_the_same(&spec, &r);
    request_free(&r);
}

static void no_queries_are_no_work(void **state)
{
    (void)state;
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    struct random_model spec = spec_here();
    struct collide_model *model = random_model_open(&spec);
    size_t n_setups = scorer_fixture_setups(setups);
    for (size_t s = 0; s < n_setups; s++) {
        struct scorer_fixture f;
        struct collide_counts counts = {1, 1};
        scorer_fixture_open(model, &setups[s], &f);
        scorer_fixture_score(f.lane, NULL, 0, NULL, &counts);
        assert_int_equal(counts.n_lookups, 0);
        scorer_fixture_close(&f);
    }
    collide_model_close(model);
}

static void a_refused_request_leaves_the_lane_as_it_was(void **state)
{
    (void)state;
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    struct random_model spec = spec_here();
    struct collide_model *model = random_model_open(&spec);
    size_t n_setups = scorer_fixture_setups(setups);
    struct request r = random_request(&spec, 7, 50);
    const struct collide_id ids[] = {random_model_key(&spec, 1)};
    const float bad[] = {NAN};
    for (size_t s = 0; s < n_setups; s++) {
        struct scorer_fixture f;
        struct collide_error err = {0};
        scorer_fixture_open(model, &setups[s], &f);
        float *before = score_at_once(f.lane, &r, NULL);
        struct collide_query kept = r.queries[49];
        r.queries[49] = (struct collide_query){.history = ids, .weights = bad, .n_history = 1};
        float untouched = 123.0f;
        assert_int_equal(collide_score(f.lane, r.queries, 50, &untouched, NULL, &err), COLLIDE_INVALID);
        assert_true(untouched == 123.0f);
        assert_non_null(strstr(err.text, "query 49"));
        r.queries[49] = kept;
        float *after = score_at_once(f.lane, &r, NULL);
        assert_memory_equal(before, after, r.n_scores * sizeof *before);
        free(before);
        free(after);
        scorer_fixture_close(&f);
    }
    request_free(&r);
    collide_model_close(model);
}

/* A thread that makes a lane of its own, the request it repeats and what must come of it. */
struct worker {
    struct collide_scorer *scorer;
    const struct request *request;
    const float *expected;
    size_t n_wrong;
};

static void *work(void *argument)
{
    enum { N_ROUNDS = 25 };
    struct worker *w = argument;
    const struct request *r = w->request;
    struct collide_lane *lane = NULL;
    float *scores = malloc((r->n_scores + 1) * sizeof *scores);
    w->n_wrong += !scores || collide_lane_create(w->scorer, &lane, NULL) != COLLIDE_OK;
    for (int round = 0; w->n_wrong == 0 && round < N_ROUNDS; round++) {
        memset(scores, 0, r->n_scores * sizeof *scores);
        w->n_wrong += collide_score(lane, r->queries, r->n, scores, NULL, NULL) != COLLIDE_OK;
        w->n_wrong += memcmp(scores, w->expected, r->n_scores * sizeof *scores) != 0;
        struct collide_hit hit;
        const struct collide_topk_query best = {.query = r->queries[round % 10], .k = 1};
        size_t n_hits;
        w->n_wrong += collide_topk(lane, &best, 1, &hit, &n_hits, NULL, NULL) != COLLIDE_OK;
    }
    collide_lane_destroy(lane);
    free(scores);
    return NULL;
}

enum { N_THREADS = 4 };

/* Thread i uses scorer i % n_scorers. */
static void work_with_threads(struct collide_scorer *const *scorers, size_t n_scorers,
                              const struct request *requests, float *const *expected)
{
    struct worker workers[N_THREADS];
    pthread_t threads[N_THREADS];
    for (size_t i = 0; i < N_THREADS; i++)
        workers[i] = (struct worker){
            .scorer = scorers[i % n_scorers], .request = &requests[i], .expected = expected[i]};
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(workers[i].n_wrong, 0);
}

/* Runs the same requests on one thread, then on four with a lane each. */
static void assert_threads_agree(const struct device_setup *setups, size_t n_setups)
{
    struct random_model spec = spec_here();
    struct collide_model *model = random_model_open(&spec);
    struct request requests[N_THREADS];
    float *expected[N_THREADS];
    struct scorer_fixture f[N_THREADS];
    struct collide_scorer *scorers[N_THREADS];
    for (size_t s = 0; s < n_setups; s++) {
        scorer_fixture_open(model, &setups[s], &f[s]);
        scorers[s] = f[s].scorer;
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        requests[i] = random_request(&spec, 10 + i, 400);
        expected[i] = score_at_once(f[i % n_setups].lane, &requests[i], NULL);
    }
    work_with_threads(scorers, n_setups, requests, expected);
    for (size_t i = 0; i < N_THREADS; i++) {
        free(expected[i]);
        request_free(&requests[i]);
    }
    for (size_t s = 0; s < n_setups; s++)
        scorer_fixture_close(&f[s]);
    collide_model_close(model);
}

static void threads_with_lanes_of_one_scorer_agree_with_one_thread(void **state)
{
    (void)state;
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    for (size_t s = 0; s < n_setups; s++)
        assert_threads_agree(&setups[s], 1);
}

static void scorers_on_one_model_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    const struct device_setup twice[] = {setups[0], setups[0]};
    assert_threads_agree(twice, 2);
    assert_threads_agree(setups, n_setups < N_THREADS ? n_setups : N_THREADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_items_than_a_lane_holds),
        cmocka_unit_test(more_queries_than_a_lane_holds),
        cmocka_unit_test(longer_histories_than_a_lane_holds),
        cmocka_unit_test(no_queries_are_no_work),
        cmocka_unit_test(a_refused_request_leaves_the_lane_as_it_was),
        cmocka_unit_test(threads_with_lanes_of_one_scorer_agree_with_one_thread),
        cmocka_unit_test(scorers_on_one_model_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
