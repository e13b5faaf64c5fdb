/* Launches that grow wider and wider on one lane beside small ones on another. */
#include "support/random_model.h"

#include "collide/scorer.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_QUERIES = 1200, SMALL = 60 };

static const struct random_model spec = {.seed = 11,
                                         .n_items = 50,
                                         .n_users = 10,
                                         .n_rows = 20,
                                         .dim = 16,
                                         .max_history = 5,
                                         .precision = PRECISION_I8,
                                         .pooling = POOLING_NORMALISED};

struct small_launches {
    struct collide_lane *lane;
    atomic_bool stop;
    enum collide_status status;
};

/* n queries of one pair each. */
static enum collide_status score(struct collide_lane *lane, size_t n, struct collide_error *err)
{
    static const struct collide_id user = {.number = 3}, item = {.number = 5};
    struct collide_query *queries = calloc(n, sizeof *queries);
    float *scores = calloc(n, sizeof *scores);
    for (size_t i = 0; i < n; i++)
        queries[i] = (struct collide_query){.user = &user, .items = &item, .n_items = 1};
    enum collide_status status = collide_score(lane, queries, n, scores, NULL, err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        assert_true(scores[i] == scores[0]);
    free(queries);
    free(scores);
    return status;
}

static void *launch_small(void *context)
{
    struct small_launches *s = context;
    while (!atomic_load(&s->stop) && s->status == COLLIDE_OK)
        s->status = score(s->lane, SMALL, NULL);
    return NULL;
}

static void wider_launches_do_no_harm_to_other_lanes(void **state)
{
    struct collide_scorer *scorer;
    struct collide_lane *lane;
    struct small_launches small = {.status = COLLIDE_OK};
    struct collide_error err = {0};
    pthread_t thread;
    struct collide_model *model = random_model_open(&spec);
    const struct collide_scorer_options options = {.cache_dir = ""};
    (void)state;
    if (collide_scorer_create(model, &options, &scorer, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_int_equal(collide_lane_create(scorer, &lane, &err), COLLIDE_OK);
    assert_int_equal(collide_lane_create(scorer, &small.lane, &err), COLLIDE_OK);
    assert_int_equal(pthread_create(&thread, NULL, launch_small, &small), 0);
    for (size_t n = SMALL + 1; n < MAX_QUERIES; n++)
        assert_int_equal(score(lane, n, &err), COLLIDE_OK);
    atomic_store(&small.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(small.status, COLLIDE_OK);
    collide_lane_destroy(small.lane);
    collide_lane_destroy(lane);
    collide_scorer_destroy(scorer);
    collide_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wider_launches_do_no_harm_to_other_lanes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
