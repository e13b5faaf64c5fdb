#include "base/log.h"
#include "base/rng.h"
#include "learn/train/reassign.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 30, N_USERS = 1500, N_ROWS = 6, DIM = 4, HISTORY = 5 };
static const float TEMPERATURE = 0.3f;

/* Users have items that follow one another, row r has those near 5 r to begin with, and rows are anything. */
struct scene {
    struct corpus corpus;
    uint32_t rows_of[N_ITEMS];
    struct id_mapping items;
    float rows[N_ROWS * DIM], bias[N_ITEMS];
};

static void scene_create(struct scene *s, uint64_t seed)
{
    static int lists[N_USERS * (HISTORY + 1) + 1];
    struct rng rng = rng_seeded(seed, 0);
    int *end = lists;
    for (int u = 0; u < N_USERS; u++) {
        const int first = (int)(u < N_ITEMS ? (uint64_t)u : rng_below(&rng, N_ITEMS));
        const int length = 2 + (int)rng_below(&rng, HISTORY - 1);
        for (int k = 0; k < length; k++)
            *end++ = (first + k) % N_ITEMS;
        *end++ = -1;
    }
    *end = -2;
    fixture_corpus(lists, &s->corpus);
    assert_int_equal(s->corpus.n_items, N_ITEMS);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        s->rows_of[i] = (i + (uint32_t)rng_below(&rng, 5)) / 5 % N_ROWS;
        s->bias[i] = (float)rng_normal(&rng);
    }
    for (int k = 0; k < N_ROWS * DIM; k++)
        s->rows[k] = (float)rng_normal(&rng);
    s->items = (struct id_mapping){.n_ids = N_ITEMS,
                                   .n_rows = N_ROWS,
                                   .n_lookups = 1,
                                   .n_parts = 1,
                                   .combine = COMBINE_SUM,
                                   .width = DIM,
                                   .rows_of = s->rows_of,
                                   .n_open_rows = N_ROWS};
}

static uint32_t reassign(struct scene *s, unsigned n_threads)
{
    struct parallel *team = fixture_team(n_threads);
    const struct reassignment r = {.corpus = &s->corpus,
                                   .items = &s->items,
                                   .rows = s->rows,
                                   .bias = s->bias,
                                   .dim = DIM,
                                   .temperature = TEMPERATURE};
    uint32_t n_moved;
    assert_int_equal(reassign_items(&r, team, &n_moved, NULL), COLLIDE_OK);
    parallel_destroy(team);
    return n_moved;
}

/* ---- The equation of reassign.h, as it stands. */

static double product(const double *user, const float *row)
{
    double xy = 0.0, xx = 0.0, yy = 0.0;
    for (int d = 0; d < DIM; d++) {
        xy += user[d] * (double)row[d];
        xx += user[d] * user[d];
        yy += (double)row[d] * (double)row[d];
    }
    return xy / sqrt(xx * yy) / (double)TEMPERATURE;
}

/* All of the user's items but one; N_ITEMS: all. */
static void pool(const struct scene *s, uint32_t user, uint32_t without, double *out)
{
    const struct csr *h = &s->corpus.histories;
    for (int d = 0; d < DIM; d++)
        out[d] = 0.0;
    for (uint64_t e = h->offsets[user]; e < h->offsets[user + 1]; e++)
        for (int d = 0; d < DIM && h->values[e] != without; d++)
            out[d] += (double)(s->corpus.weights[h->values[e]] *
                               s->rows[s->rows_of[h->values[e]] * DIM + (uint32_t)d]);
}

static double length_of(const struct scene *s, uint32_t user)
{
    return (double)(s->corpus.histories.offsets[user + 1] - s->corpus.histories.offsets[user]);
}

static double asked(const struct scene *s, uint32_t row)
{
    double sum = 0.0, bag[DIM];
    for (uint32_t u = 0; u < N_USERS; u++) {
        double all = 0.0;
        pool(s, u, N_ITEMS, bag);
        for (uint32_t i = 0; i < N_ITEMS; i++)
            all += exp(product(bag, s->rows + s->rows_of[i] * DIM) + (double)s->bias[i]);
        sum += sqrt(length_of(s, u)) * exp(product(bag, s->rows + row * DIM)) / all;
    }
    return log(sum);
}

static double loss(const struct scene *s, uint32_t item, uint32_t row)
{
    const struct csr *h = &s->corpus.histories;
    double sum = 0.0, frequency = 0.0, rest[DIM];
    for (uint32_t u = 0; u < N_USERS; u++)
        for (uint64_t e = h->offsets[u]; e < h->offsets[u + 1]; e++) {
            if (h->values[e] != item)
                continue;
            const double share = 1.0 / sqrt(length_of(s, u));
            pool(s, u, item, rest);
            sum -= share * product(rest, s->rows + row * DIM);
            frequency += share;
        }
    return sum / frequency + asked(s, row);
}

/* ---- */

static void every_item_goes_where_its_users_ask_for_it(void **state)
{
    (void)state;
    struct scene s, before;
    scene_create(&s, 1);
    before = s;
    uint32_t n_moved = 0, n_counted = reassign(&s, 2);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        const uint32_t now = s.rows_of[i], then = before.rows_of[i];
        for (uint32_t row = 0; row < N_ROWS; row++)
            assert_true(loss(&before, i, now) <= loss(&before, i, row) + 1e-4);
        assert_true(
            fabs((double)(s.bias[i] - before.bias[i]) - (asked(&before, then) - asked(&before, now))) < 1e-3);
        n_moved += now != then;
    }
    assert_true(n_moved > 0);
    assert_int_equal(n_moved, n_counted);
    corpus_free(&s.corpus);
}

static void threads_make_no_difference(void **state)
{
    (void)state;
    struct scene one, three;
    scene_create(&one, 2);
    scene_create(&three, 2);
    assert_int_equal(reassign(&one, 1), reassign(&three, 3));
    assert_memory_equal(one.rows_of, three.rows_of, sizeof one.rows_of);
    corpus_free(&one.corpus);
    corpus_free(&three.corpus);
}

static void rows_that_are_not_open_keep_their_items(void **state)
{
    (void)state;
    struct scene s, before;
    scene_create(&s, 3);
    s.items.n_open_rows = N_ROWS - 2;
    before = s;
    assert_true(reassign(&s, 2) > 0);
    for (uint32_t i = 0; i < N_ITEMS; i++)
        if (before.rows_of[i] < 2)
            assert_int_equal(s.rows_of[i], before.rows_of[i]);
        else
            assert_in_range(s.rows_of[i], 2, N_ROWS - 1);
    corpus_free(&s.corpus);
}

/* Item 0 is in the middle of one half, and alone in a row that points where the other half does. */
static void no_row_loses_its_last_item(void **state)
{
    (void)state;
    struct scene s;
    scene_create(&s, 4);
    for (uint32_t i = 0; i < N_ITEMS; i++)
        s.rows_of[i] = i == 0 ? 2 : (i + N_ITEMS / 4) % N_ITEMS >= N_ITEMS / 2;
    memset(s.bias, 0, sizeof s.bias);
    memset(s.rows, 0, sizeof s.rows);
    for (uint32_t row = 0; row < N_ROWS; row++)
        s.rows[row * DIM] = row == 0 ? 1.0f : -1.0f;
    reassign(&s, 2);
    assert_int_equal(s.rows_of[0], 2);
    corpus_free(&s.corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_goes_where_its_users_ask_for_it),
        cmocka_unit_test(threads_make_no_difference),
        cmocka_unit_test(rows_that_are_not_open_keep_their_items),
        cmocka_unit_test(no_row_loses_its_last_item),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
