#include "base/log.h"
#include "learn/train/trainer.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Two groups of items, and users who stay within one of them. */
static const int lists[] = {0, 1, 2,  -1, 1, 2, 3,  -1, 0, 2, 3,  -1, 0, 1, 3,  -1, 4,
                            5, 6, -1, 5,  6, 7, -1, 4,  6, 7, -1, 4,  5, 7, -1, -2};
enum { N_ITEMS = 8, N_ROWS = 9, DIM = 6 };
static const uint32_t identity[N_ITEMS] = {0, 1, 2, 3, 4, 5, 6, 7};

struct scene {
    struct corpus corpus;
    struct parallel *team;
    struct trainer *trainer;
};

/* Row 8 is nobody's. */
static void scene_create(struct scene *s, uint64_t seed)
{
    fixture_corpus(lists, &s->corpus);
    s->team = fixture_team(2);
    struct trainer_problem p = {.corpus = &s->corpus,
                                .row_of_item = identity,
                                .n_rows = N_ROWS,
                                .dim = DIM,
                                .training = training_default(),
                                .seed = seed};
    p.training.temperature = 0.2f;
    assert_int_equal(trainer_create(&p, s->team, &s->trainer, NULL), COLLIDE_OK);
}

static void scene_destroy(struct scene *s)
{
    trainer_destroy(s->trainer);
    parallel_destroy(s->team);
    corpus_free(&s->corpus);
}

static double cosine(const float *x, const float *y)
{
    double xy = 0.0, xx = 0.0, yy = 0.0;
    for (int d = 0; d < DIM; d++) {
        xy += (double)x[d] * (double)y[d];
        xx += (double)x[d] * (double)x[d];
        yy += (double)y[d] * (double)y[d];
    }
    return xy / sqrt(xx * yy);
}

static void items_of_the_same_users_come_to_point_the_same_way(void **state)
{
    (void)state;
    struct scene s;
    scene_create(&s, 1);
    double early, late;
    assert_int_equal(trainer_run(s.trainer, 1, "early", &early, NULL), COLLIDE_OK);
    assert_int_equal(trainer_run(s.trainer, 300, "late", &late, NULL), COLLIDE_OK);
    /* With each group told apart and its four items alike, a target costs ln 4 nats: two of them are inputs.
     */
    assert_true(late < early - 0.3 && late < log(4.0) + 0.2);
    const float *rows = trainer_rows(s.trainer);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            assert_true(cosine(rows + i * DIM, rows + j * DIM) > 0.7);
            assert_true(cosine(rows + i * DIM, rows + (4 + j) * DIM) < 0.3);
        }
    scene_destroy(&s);
}

static void rows_that_no_item_has_are_left_alone(void **state)
{
    (void)state;
    struct scene s;
    float before[DIM];
    double loss;
    scene_create(&s, 2);
    memcpy(before, trainer_rows(s.trainer) + 8 * DIM, sizeof before);
    assert_int_equal(trainer_run(s.trainer, 5, "rows", &loss, NULL), COLLIDE_OK);
    assert_memory_equal(before, trainer_rows(s.trainer) + 8 * DIM, sizeof before);
    scene_destroy(&s);
}

static void seeds_give_different_starts_of_length_one(void **state)
{
    (void)state;
    struct scene a, b;
    scene_create(&a, 3);
    scene_create(&b, 4);
    for (int r = 0; r < N_ROWS; r++) {
        const float *row = trainer_rows(a.trainer) + r * DIM;
        double length = 0.0;
        for (int d = 0; d < DIM; d++)
            length += (double)row[d] * (double)row[d];
        assert_true(fabs(length - 1.0) < 1e-5);
    }
    assert_memory_not_equal(trainer_rows(a.trainer), trainer_rows(b.trainer), N_ROWS * DIM * sizeof(float));
    scene_destroy(&a);
    scene_destroy(&b);
}

static void what_is_not_finite_is_refused(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        struct scene s;
        struct collide_error err = {0};
        double loss = -1.0;
        scene_create(&s, 5);
        trainer_rows(s.trainer)[8 * DIM] = bad[i]; /* even where no item would show it */
        assert_int_equal(trainer_run(s.trainer, 1, "rows", &loss, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "diverged"));
        trainer_rows(s.trainer)[8 * DIM] = 0.0f;
        trainer_bias(s.trainer)[3] = bad[i];
        assert_int_equal(trainer_run(s.trainer, 3, "rows", &loss, &err), COLLIDE_INVALID);
        assert_true(loss == -1.0);
        scene_destroy(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_the_same_users_come_to_point_the_same_way),
        cmocka_unit_test(rows_that_no_item_has_are_left_alone),
        cmocka_unit_test(seeds_give_different_starts_of_length_one),
        cmocka_unit_test(what_is_not_finite_is_refused),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
