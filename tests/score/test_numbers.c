/* Ids that come as numbers, in memory that a lane shares with whoever writes them there. */
#include "random_query.h"
#include "scorer_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 3000, SHARED_BYTES = 1 << 20, BESIDE_BYTES = 4096 };

/* Its end is memory that is not shared. */
static _Alignas(4096) unsigned char memory[SHARED_BYTES + BESIDE_BYTES];

static struct random_model spec_of(enum key_kind keys)
{
    return (struct random_model){.seed = 97 + keys,
                                 .n_items = N_ITEMS,
                                 .n_rows = 500,
                                 .n_users = 20,
                                 .max_history = 50,
                                 .dim = 32,
                                 .precision = PRECISION_I8,
                                 .pooling = POOLING_MEAN,
                                 .keys = keys,
                                 .flags = RANDOM_WEIGHTS | RANDOM_BIAS | RANDOM_USER_EMBEDDED};
}

static void share(struct collide_lane *lane)
{
    struct collide_error err = {0};
    if (lane_share_memory(lane, memory, SHARED_BYTES, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

/* Runs a body for dense items and for keyed ones, on every device and engine. */
static void each_lane(void (*body)(const struct random_model *spec, const struct collide_model *model,
                                   struct collide_lane *lane))
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    for (enum key_kind keys = KEYS_DENSE; keys <= KEYS_U64; keys++) {
        const struct random_model spec = spec_of(keys);
        struct collide_model *model = random_model_open(&spec);
        for (size_t s = 0; s < n_setups; s++) {
            struct scorer_fixture f;
            scorer_fixture_open(model, &setups[s], &f);
            share(f.lane);
            body(&spec, model, f.lane);
            scorer_fixture_close(&f);
        }
        collide_model_close(model);
    }
}

/* n random ids, one in eight unknown, as 8-byte numbers too; owned. */
static struct collide_id *some_ids(const struct random_model *spec, struct rng *rng, size_t n, void *numbers)
{
    struct collide_id *ids = calloc(n + 1, sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < n; i++) {
        ids[i] = random_model_key(spec, rng_below(rng, N_ITEMS));
        if (rng_below(rng, 8) == 0)
            ids[i] = collide_id_number(UINT64_MAX - i);
        memcpy((char *)numbers + 8 * i, &ids[i].number, 8);
    }
    return ids;
}

static void assert_same_scores(struct collide_lane *lane, const struct collide_query *ids,
                               const struct collide_query *numbers)
{
    float *scores = calloc(2 * ids->n_items + 1, sizeof *scores);
    struct collide_counts counts[2];
    assert_non_null(scores);
    scorer_fixture_score(lane, ids, 1, scores, &counts[0]);
    scorer_fixture_score(lane, numbers, 1, scores + ids->n_items, &counts[1]);
    assert_memory_equal(scores, scores + ids->n_items, ids->n_items * sizeof *scores);
    assert_memory_equal(&counts[0], &counts[1], sizeof counts[0]);
    free(scores);
}

/* Longer than a slot holds: lists are cut, and the lane grows and keeps the memory that it shares. */
static void score_long_lists(const struct random_model *spec, const struct collide_model *model,
                             struct collide_lane *lane)
{
    static const size_t sizes[][2] = {{0, 5}, {3, 0}, {40, 700}, {100, 40000}, {20000, 3}, {20000, 20000}};
    struct rng rng = rng_seeded(spec->seed, 1);
    const struct collide_id user = random_model_key(spec, 3);
    (void)model;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n_history = sizes[i][0], n_items = sizes[i][1];
        unsigned char *items_at = memory + 8 * n_history + 4;
        struct collide_id *history = some_ids(spec, &rng, n_history, memory);
        struct collide_id *items = some_ids(spec, &rng, n_items, items_at);
        const struct collide_query ids = {
            .user = &user, .history = history, .n_history = n_history, .items = items, .n_items = n_items};
        struct collide_query numbers = ids;
        numbers.history = numbers.items = NULL;
        numbers.history_numbers = memory;
        numbers.item_numbers = items_at;
        numbers.number_bytes = 8;
        assert_same_scores(lane, &ids, &numbers);
        free(history);
        free(items);
    }
}

static void long_lists_of_numbers_score_as_their_ids(void **state)
{
    (void)state;
    each_lane(score_long_lists);
}

/* Lists that begin or end beside shared memory. */
static void score_beside(const struct random_model *spec, const struct collide_model *model,
                         struct collide_lane *lane)
{
    enum { N = 20 };
    static const size_t places[] = {SHARED_BYTES - 8 * N, SHARED_BYTES - 8 * N + 4, SHARED_BYTES - 4,
                                    SHARED_BYTES, SHARED_BYTES + 4};
    struct rng rng = rng_seeded(spec->seed, 2);
    (void)model;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct collide_id *items = some_ids(spec, &rng, N, memory + places[i]);
        const struct collide_query ids = {.history = items, .n_history = N, .items = items, .n_items = N},
                                   numbers = {.history_numbers = memory + places[i],
                                              .n_history = N,
                                              .item_numbers = memory + places[i],
                                              .n_items = N,
                                              .number_bytes = 8};
        assert_same_scores(lane, &ids, &numbers);
        free(items);
    }
}

static void numbers_that_are_not_all_shared_are_copied(void **state)
{
    (void)state;
    each_lane(score_beside);
}

static void rank_by_numbers(const struct random_model *spec, const struct collide_model *model,
                            struct collide_lane *lane)
{
    enum { N_HISTORY = 30, K = 50 };
    struct rng rng = rng_seeded(spec->seed, 3);
    struct collide_id *history = some_ids(spec, &rng, N_HISTORY, memory);
    const struct collide_topk_query queries[] = {
        {.query = {.history = history, .n_history = N_HISTORY}, .k = K, .flags = COLLIDE_TOPK_EXCLUDE_SEEN},
        {.query = {.history_numbers = memory, .n_history = N_HISTORY, .number_bytes = 8},
         .k = K,
         .flags = COLLIDE_TOPK_EXCLUDE_SEEN}};
    struct collide_hit hits[2][K];
    size_t n_hits[2];
    struct collide_counts counts[2];
    struct collide_error err = {0};
    (void)model;
    for (int i = 0; i < 2; i++)
        if (collide_topk(lane, &queries[i], 1, hits[i], &n_hits[i], &counts[i], &err) != COLLIDE_OK)
            fail_msg("%s", err.text);
    assert_int_equal(n_hits[0], n_hits[1]);
    for (size_t i = 0; i < n_hits[0]; i++)
        assert_true(hits[0][i].item.number == hits[1][i].item.number && hits[0][i].score == hits[1][i].score);
    assert_memory_equal(&counts[0], &counts[1], sizeof counts[0]);
    free(history);
}

static void the_best_items_of_numbers_are_those_of_their_ids(void **state)
{
    (void)state;
    each_lane(rank_by_numbers);
}

/* A list that someone writes to while it is scored: each number is one of two, an item's or nonsense. */
enum { N_CHANGING = 500 };

struct writer {
    atomic_bool stop;
    uint64_t numbers[2];
};

/* Stands for another process, of which ThreadSanitizer would know nothing. */
__attribute__((no_sanitize("thread"))) static void *write_numbers(void *argument)
{
    struct writer *w = argument;
    volatile uint32_t *words = (volatile uint32_t *)(void *)memory;
    for (unsigned turn = 0; !atomic_load(&w->stop); turn++)
        for (size_t i = 0; i < N_CHANGING; i++) {
            uint64_t number = w->numbers[(turn + i) % 2];
            words[2 * i] = (uint32_t)number;
            words[2 * i + 1] = (uint32_t)(number >> 32);
        }
    return NULL;
}

static void score_changing(const struct random_model *spec, const struct collide_model *model,
                           struct collide_lane *lane)
{
    enum { N_ROUNDS = 200 };
    const struct collide_id history = random_model_key(spec, 1);
    struct collide_id both[] = {random_model_key(spec, 7), collide_id_number(UINT64_MAX)};
    const struct collide_query ids = {.history = &history, .n_history = 1, .items = both, .n_items = 2},
                               changing = {.history = &history,
                                           .n_history = 1,
                                           .item_numbers = memory,
                                           .n_items = N_CHANGING,
                                           .number_bytes = 8};
    float truth[2], scores[N_CHANGING];
    pthread_t thread;
    (void)model;
    scorer_fixture_score(lane, &ids, 1, truth, NULL);
    for (uint32_t d = 8; truth[0] == truth[1]; d++) { /* as of an item that nothing was learned of */
        both[0] = random_model_key(spec, d);
        scorer_fixture_score(lane, &ids, 1, truth, NULL);
    }
    /* The halves of the two together are no item. */
    struct writer w = {.numbers = {both[0].number, both[1].number}};
    memset(memory, 0xff, 8 * N_CHANGING);
    assert_int_equal(pthread_create(&thread, NULL, write_numbers, &w), 0);
    size_t n_wrong = 0;
    for (int round = 0; round < N_ROUNDS; round++) {
        struct collide_counts counts;
        size_t n_unknown = 0;
        scorer_fixture_score(lane, &changing, 1, scores, &counts);
        for (size_t i = 0; i < N_CHANGING; i++) {
            n_wrong += scores[i] != truth[0] && scores[i] != truth[1];
            n_unknown += scores[i] == truth[1];
        }
        n_wrong += counts.n_unknown != n_unknown; /* what was counted is what was scored */
    }
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(n_wrong, 0);
}

static void numbers_that_change_are_scored_as_they_once_were(void **state)
{
    (void)state;
    each_lane(score_changing);
}

/* Each lane reads its own memory alone, be it destroyed before the others. */
static void lanes_share_memory_of_their_own(void **state)
{
    enum { N_LANES = 3, N = 10 };
    const struct random_model spec = spec_of(KEYS_DENSE);
    struct collide_model *model = random_model_open(&spec);
    struct rng rng = rng_seeded(spec.seed, 4);
    struct scorer_fixture f;
    struct collide_lane *lanes[N_LANES];
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    (void)state;
    scorer_fixture_setups(setups);
    scorer_fixture_open(model, &setups[0], &f);
    for (size_t i = 0; i < N_LANES; i++) {
        assert_int_equal(collide_lane_create(f.scorer, &lanes[i], NULL), COLLIDE_OK);
        assert_int_equal(lane_share_memory(lanes[i], memory + 4096 * i, 4096, NULL), COLLIDE_OK);
    }
    for (size_t i = 0; i < N_LANES; i++) {
        for (size_t at = 0; at < N_LANES; at++) { /* others' memory is as good as any */
            struct collide_id *items = some_ids(&spec, &rng, N, memory + 4096 * at);
            const struct collide_query ids = {.items = items, .n_items = N},
                                       numbers = {.item_numbers = memory + 4096 * at,
                                                  .n_items = N,
                                                  .number_bytes = 8};
            assert_same_scores(lanes[i], &ids, &numbers);
            free(items);
        }
        collide_lane_destroy(lanes[i]);
    }
    scorer_fixture_close(&f);
    collide_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_lists_of_numbers_score_as_their_ids),
        cmocka_unit_test(numbers_that_are_not_all_shared_are_copied),
        cmocka_unit_test(the_best_items_of_numbers_are_those_of_their_ids),
        cmocka_unit_test(numbers_that_change_are_scored_as_they_once_were),
        cmocka_unit_test(lanes_share_memory_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
