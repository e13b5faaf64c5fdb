#include "base/log.h"
#include "learn/train/trainer.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two groups of items, and users who stay within one of them. */
static const int lists[] = {0, 1, 2,  -1, 1, 2, 3,  -1, 0, 2, 3,  -1, 0, 1, 3,  -1, 4,
                            5, 6, -1, 5,  6, 7, -1, 4,  6, 7, -1, 4,  5, 7, -1, -2};
enum { N_ITEMS = 8, N_USERS = 8, N_ROWS = 9, DIM = 6 };
static const uint32_t identity[N_ITEMS] = {0, 1, 2, 3, 4, 5, 6, 7};

struct scene {
    struct corpus corpus;
    struct parallel *team;
    uint32_t row_of_item[N_ITEMS], row_of_user[N_USERS];
    struct id_mapping items, users;
    struct trainer *trainer;
};

static struct id_mapping mapping_of(const uint32_t rows[8], uint32_t kept[8])
{
    memcpy(kept, rows, 8 * sizeof *kept);
    return (struct id_mapping){.n_ids = 8,
                               .n_rows = N_ROWS,
                               .n_lookups = 1,
                               .n_parts = 1,
                               .combine = COMBINE_SUM,
                               .width = DIM,
                               .rows_of = kept};
}

/* Row 8 is nobody's. */
static void scene_create_of(struct scene *s, enum backbone backbone, const uint32_t row_of_user[N_USERS],
                            struct class_sharing sharing, uint64_t seed)
{
    fixture_corpus(lists, &s->corpus);
    s->team = fixture_team(2);
    s->items = mapping_of(identity, s->row_of_item);
    s->users = mapping_of(row_of_user, s->row_of_user);
    struct trainer_problem p = {.corpus = &s->corpus,
                                .items = &s->items,
                                .users = backbone == BACKBONE_BAG ? NULL : &s->users,
                                .dim = DIM,
                                .sharing = sharing,
                                .training = training_default(),
                                .seed = seed};
    p.training.backbone = backbone;
    p.training.temperature = 0.2f;
    assert_int_equal(trainer_create(&p, s->team, &s->trainer, NULL), COLLIDE_OK);
}

static void scene_create_with(struct scene *s, enum backbone backbone, const uint32_t row_of_user[N_USERS],
                              uint64_t seed)
{
    scene_create_of(s, backbone, row_of_user, (struct class_sharing){0, 0.0}, seed);
}

static void scene_create_sharing(struct scene *s, struct class_sharing sharing, uint64_t seed)
{
    scene_create_of(s, BACKBONE_BAG, identity, sharing, seed);
}

static void scene_create(struct scene *s, uint64_t seed)
{
    scene_create_with(s, BACKBONE_BAG, identity, seed);
    assert_null(trainer_user_rows(s->trainer));
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

/* Rows 0 to 3 against rows 4 to 7. */
static void assert_told_apart(const float *rows)
{
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            assert_true(cosine(rows + i * DIM, rows + j * DIM) > 0.7);
            assert_true(cosine(rows + (4 + i) * DIM, rows + (4 + j) * DIM) > 0.7);
            assert_true(cosine(rows + i * DIM, rows + (4 + j) * DIM) < 0.3);
        }
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
    assert_told_apart(trainer_rows(s.trainer));
    scene_destroy(&s);
}

/* Item 3 starts in the row of the other group. */
static uint32_t row_of_the_misplaced(enum backbone backbone, uint32_t n_open_rows)
{
    static const uint32_t rows[N_ITEMS] = {0, 0, 0, 1, 1, 1, 1, 1};
    struct scene s;
    double loss;
    scene_create_with(&s, backbone, identity, 1);
    memcpy(s.row_of_item, rows, sizeof rows);
    s.items.n_open_rows = n_open_rows;
    assert_int_equal(trainer_run(s.trainer, 40, "rows", &loss, NULL), COLLIDE_OK);
    const uint32_t row = s.row_of_item[3];
    for (int i = 0; i < N_ITEMS; i++)
        assert_true(i == 3 || s.row_of_item[i] == rows[i]);
    scene_destroy(&s);
    return row;
}

static void misplaced_items_move_among_open_rows(void **state)
{
    (void)state;
    assert_int_equal(row_of_the_misplaced(BACKBONE_BAG, N_ROWS), 0);
    assert_int_equal(row_of_the_misplaced(BACKBONE_BAG, 0), 1);
    assert_int_equal(row_of_the_misplaced(BACKBONE_BOTH, N_ROWS), 1);
}

static void parameters_say_where_items_were(void **state)
{
    (void)state;
    struct scene s;
    struct training_state parameters;
    double loss;
    scene_create(&s, 1);
    s.items.n_open_rows = N_ROWS;
    s.row_of_item[3] = 4;
    trainer_state(s.trainer, STATE_PARAMETERS, &parameters);
    void *kept = malloc(training_state_bytes(&parameters));
    assert_non_null(kept);
    training_state_copy_out(&parameters, kept);
    assert_int_equal(trainer_run(s.trainer, 40, "rows", &loss, NULL), COLLIDE_OK);
    assert_int_not_equal(s.row_of_item[3], 4);
    training_state_copy_in(&parameters, kept);
    assert_int_equal(s.row_of_item[3], 4);
    free(kept);
    scene_destroy(&s);
}

static double train(struct scene *s, uint32_t n_epochs)
{
    double loss;
    assert_int_equal(trainer_run(s->trainer, n_epochs, "rows", &loss, NULL), COLLIDE_OK);
    return loss;
}

/* A user's vector as the backbone has it. */
static void user_vector(const struct scene *s, enum backbone backbone, uint32_t user, float out[DIM])
{
    const struct csr *h = &s->corpus.histories;
    memcpy(out, trainer_user_rows(s->trainer) + s->row_of_user[user] * DIM, DIM * sizeof *out);
    for (uint64_t k = h->offsets[user]; backbone == BACKBONE_BOTH && k < h->offsets[user + 1]; k++)
        for (uint32_t d = 0; d < DIM; d++)
            out[d] += s->corpus.weights[h->values[k]] * trainer_rows(s->trainer)[h->values[k] * DIM + d];
}

/* Whatever of its own group a user has comes before whatever is of the other one. */
static void assert_users_match_their_items(const struct scene *s, enum backbone backbone)
{
    for (uint32_t user = 0; user < N_USERS; user++) {
        const struct csr *h = &s->corpus.histories;
        float vector[DIM];
        double least = 1.0;
        user_vector(s, backbone, user, vector);
        for (uint64_t k = h->offsets[user]; k < h->offsets[user + 1]; k++)
            least = fmin(least, cosine(vector, trainer_rows(s->trainer) + h->values[k] * DIM));
        for (uint32_t other = user < 4 ? 4 : 0, n = 0; n < 4; other++, n++)
            assert_true(least > cosine(vector, trainer_rows(s->trainer) + other * DIM) + 0.3);
    }
}

/* Rows of their own can tell every user's three items from all others: a target costs ln 3 nats. */
static void users_with_rows_come_to_point_where_their_items_do(void **state)
{
    (void)state;
    struct scene s;
    scene_create_with(&s, BACKBONE_USER, identity, 1);
    double early = train(&s, 1), late = train(&s, 300);
    assert_true(late < early - 0.3 && fabs(late - log(3.0)) < 0.1);
    assert_users_match_their_items(&s, BACKBONE_USER);
    scene_destroy(&s);
}

static void rows_and_bags_together_tell_groups_apart(void **state)
{
    (void)state;
    struct scene s;
    scene_create_with(&s, BACKBONE_BOTH, identity, 1);
    double early = train(&s, 1), late = train(&s, 300);
    assert_true(late < early - 0.3 && late < log(4.0) + 0.2);
    assert_told_apart(trainer_rows(s.trainer));
    assert_users_match_their_items(&s, BACKBONE_BOTH);
    scene_destroy(&s);
}

/* A row for each group has four items to like, and a target costs ln 4 nats; one for a user of either group
 * has six of the eight. */
static void users_who_share_a_row_are_one(void **state)
{
    (void)state;
    static const uint32_t by_group[N_USERS] = {0, 0, 0, 0, 4, 4, 4, 4},
                          across[N_USERS] = {0, 1, 2, 3, 0, 1, 2, 3};
    struct scene s;
    scene_create_with(&s, BACKBONE_USER, by_group, 6);
    assert_true(fabs(train(&s, 300) - log(4.0)) < 0.1);
    assert_users_match_their_items(&s, BACKBONE_USER);
    assert_true(cosine(trainer_user_rows(s.trainer), trainer_user_rows(s.trainer) + 4 * DIM) < 0.0);
    scene_destroy(&s);
    scene_create_with(&s, BACKBONE_USER, across, 6);
    assert_true(fabs(train(&s, 300) - log(6.0)) < 0.1);
    scene_destroy(&s);
}

/* With one class but the unknown items' all have the same bias, whatever it is, and so does what is learned.
 */
static void shared_biases_are_read_as_one(void **state)
{
    (void)state;
    struct scene alone, together, apart;
    scene_create_sharing(&alone, (struct class_sharing){1, 0.1}, 7);
    scene_create_sharing(&together, (struct class_sharing){1, 0.1}, 7);
    scene_create_sharing(&apart, (struct class_sharing){0, 0.1}, 7);
    for (uint32_t i = 0; i < N_ITEMS; i++)
        trainer_bias(together.trainer)[i] = trainer_bias(apart.trainer)[i] = i % 2 ? 2.0f : -2.0f;
    const double loss = train(&alone, 1);
    assert_true(fabs(train(&together, 1) - loss) < 1e-5);
    assert_true(fabs(train(&apart, 1) - loss) > 0.1);
    assert_true(trainer_bias(together.trainer)[1] - trainer_bias(together.trainer)[0] > 3.0f);
    scene_destroy(&alone);
    scene_destroy(&together);
    scene_destroy(&apart);
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

static void rows_that_no_user_has_are_left_alone(void **state)
{
    (void)state;
    struct scene s;
    float before[DIM];
    scene_create_with(&s, BACKBONE_BOTH, identity, 2);
    memcpy(before, trainer_user_rows(s.trainer) + 8 * DIM, sizeof before);
    train(&s, 5);
    assert_memory_equal(before, trainer_user_rows(s.trainer) + 8 * DIM, sizeof before);
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

static void what_is_not_finite_in_rows_of_users_is_refused(void **state)
{
    (void)state;
    struct scene s;
    struct collide_error err = {0};
    double loss = -1.0;
    scene_create_with(&s, BACKBONE_USER, identity, 5);
    trainer_user_rows(s.trainer)[8 * DIM] = NAN;
    assert_int_equal(trainer_run(s.trainer, 1, "rows", &loss, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "diverged"));
    assert_true(loss == -1.0);
    scene_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misplaced_items_move_among_open_rows),
        cmocka_unit_test(parameters_say_where_items_were),
        cmocka_unit_test(items_of_the_same_users_come_to_point_the_same_way),
        cmocka_unit_test(users_with_rows_come_to_point_where_their_items_do),
        cmocka_unit_test(rows_and_bags_together_tell_groups_apart),
        cmocka_unit_test(users_who_share_a_row_are_one),
        cmocka_unit_test(shared_biases_are_read_as_one),
        cmocka_unit_test(rows_that_no_item_has_are_left_alone),
        cmocka_unit_test(rows_that_no_user_has_are_left_alone),
        cmocka_unit_test(seeds_give_different_starts_of_length_one),
        cmocka_unit_test(what_is_not_finite_is_refused),
        cmocka_unit_test(what_is_not_finite_in_rows_of_users_is_refused),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
