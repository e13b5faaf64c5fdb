#include "base/log.h"
#include "base/rng.h"
#include "learn/map/id_mapping.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_IDS = 1200, DIM = 12 };

/* Ids with vectors and counts, and what a method made of them. */
struct coding {
    uint32_t counts[N_IDS];
    uint32_t dense_ids[N_IDS];
    float vectors[N_IDS * DIM];
    struct id_mapping mapping;
};

static struct coding *coding_create(void)
{
    struct coding *c = calloc(1, sizeof *c);
    assert_non_null(c);
    struct rng rng = rng_seeded(3, 0);
    for (uint32_t i = 0; i < N_IDS; i++) {
        c->dense_ids[i] = i;
        c->counts[i] = (uint32_t)rng_below(&rng, 50);
        for (uint32_t d = 0; d < DIM; d++)
            c->vectors[i * DIM + d] = (float)rng_normal(&rng);
    }
    return c;
}

static enum collide_status code_ids(struct coding *c, enum learn_method method, uint32_t n_rows,
                                    uint32_t n_lookups, unsigned n_threads)
{
    struct parallel *team = fixture_team(n_threads);
    struct mapping_problem p = {.n_ids = N_IDS,
                                .dense_ids = c->dense_ids,
                                .counts = c->counts,
                                .n_rows = n_rows,
                                .dim = DIM,
                                .vectors = c->vectors,
                                .settings = {.n_lookups = n_lookups},
                                .seed = 5,
                                .team = team};
    enum collide_status status = id_mapping_create(method, &p, &c->mapping, NULL);
    parallel_destroy(team);
    return status;
}

static void code(struct coding *c, enum learn_method method, uint32_t n_rows, uint32_t n_lookups)
{
    assert_int_equal(code_ids(c, method, n_rows, n_lookups, 1), COLLIDE_OK);
}

static void coding_destroy(struct coding *c)
{
    id_mapping_free(&c->mapping);
    free(c);
}

/* out = what the rows of id make: their sum, or end to end. */
static void embed(const struct id_mapping *m, uint32_t id, double out[DIM])
{
    memset(out, 0, DIM * sizeof *out);
    for (uint32_t l = 0; l < m->n_lookups; l++) {
        const float *row = m->rows + (size_t)m->rows_of[id * m->n_lookups + l] * m->width;
        for (uint32_t d = 0; d < m->width; d++)
            out[(l * m->n_parts / m->n_lookups * m->width) + d] += (double)row[d];
    }
}

static double squared_distance(const struct coding *c, uint32_t id)
{
    double x[DIM], sum = 0.0;
    embed(&c->mapping, id, x);
    for (uint32_t d = 0; d < DIM; d++)
        sum += (x[d] - (double)c->vectors[id * DIM + d]) * (x[d] - (double)c->vectors[id * DIM + d]);
    return sum;
}

/* Weighted as the methods weigh. */
static double distortion(const struct coding *c)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < N_IDS; i++)
        sum += sqrt(c->counts[i] + 1.0) * squared_distance(c, i);
    return sum;
}

static void every_lookup_stays_in_its_book(void **state)
{
    (void)state;
    const struct {
        enum learn_method method;
        uint32_t n_rows, n_lookups, n_book_rows;
    } cases[] = {{LEARN_RQ, 100, 0, 25}, {LEARN_RQ, 50, 3, 16}, {LEARN_PQ, 40, 4, 40}, {LEARN_PQ, 9, 12, 9}};
    for (int k = 0; k < 4; k++) {
        struct coding *c = coding_create();
        const struct id_mapping *m = &c->mapping;
        code(c, cases[k].method, cases[k].n_rows, cases[k].n_lookups);
        assert_int_equal(m->n_book_rows, cases[k].n_book_rows);
        assert_int_equal(m->n_rows, m->n_book_rows * m->n_lookups);
        /* The rows' values are within the budget. */
        assert_true(m->n_rows * m->width <= cases[k].n_rows * DIM);
        bool *is_used = calloc(m->n_rows, sizeof *is_used);
        assert_non_null(is_used);
        for (uint32_t i = 0; i < N_IDS * m->n_lookups; i++) {
            assert_int_equal(m->rows_of[i] / m->n_book_rows, i % m->n_lookups);
            is_used[m->rows_of[i]] = true;
        }
        for (uint32_t row = 0; row < m->n_rows; row++)
            assert_true(is_used[row]);
        free(is_used);
        coding_destroy(c);
    }
}

/* Each vector is one of six far apart plus one of five close together: no rest is left. */
static void rq_finds_planted_sums(void **state)
{
    (void)state;
    struct coding *c = coding_create();
    for (uint32_t i = 0; i < N_IDS; i++) {
        memset(c->vectors + i * DIM, 0, DIM * sizeof(float));
        c->vectors[i * DIM + i % 6] = 100.0f;
        c->vectors[i * DIM + 6 + i / 6 % 5] = 1.0f;
    }
    code(c, LEARN_RQ, 24, 2);
    for (uint32_t i = 0; i < N_IDS; i++)
        assert_true(squared_distance(c, i) < 1e-6);
    coding_destroy(c);
}

/* Three parts of four values, each one of seven patterns. */
static void pq_finds_planted_parts(void **state)
{
    (void)state;
    struct coding *c = coding_create();
    struct rng rng = rng_seeded(8, 0);
    for (uint32_t i = 0; i < N_IDS * DIM; i += 4) {
        uint64_t pattern = rng_below(&rng, 7);
        for (uint32_t d = 0; d < 4; d++)
            c->vectors[i + d] = pattern >> d & 1 ? 3.0f : (float)(i % DIM);
    }
    code(c, LEARN_PQ, 8, 3);
    assert_int_equal(c->mapping.width, 4);
    for (uint32_t i = 0; i < N_IDS; i++)
        assert_true(squared_distance(c, i) < 1e-8);
    coding_destroy(c);
}

/* The rows of one budget say more as several codebooks than as one. */
static void books_come_closer_than_one_list_of_rows(void **state)
{
    (void)state;
    double plain, residual, product;
    struct coding *c = coding_create();
    code(c, LEARN_LHF, 48, 1);
    plain = distortion(c);
    coding_destroy(c);
    c = coding_create();
    code(c, LEARN_RQ, 48, 4);
    residual = distortion(c);
    coding_destroy(c);
    c = coding_create();
    code(c, LEARN_PQ, 48, 4);
    product = distortion(c);
    coding_destroy(c);
    assert_true(residual < 0.9 * plain);
    assert_true(product < 0.9 * plain);
}

/* What an id could gain by another row in one of its books, the others as they are. */
static double best_gain(const struct coding *c, uint32_t id)
{
    const struct id_mapping *m = &c->mapping;
    double x[DIM], own = squared_distance(c, id), best = own;
    embed(m, id, x);
    for (uint32_t row = 0; row < m->n_rows; row++) {
        const float *from = m->rows + (size_t)m->rows_of[id * m->n_lookups + row / m->n_book_rows] * DIM;
        double sum = 0.0;
        for (uint32_t d = 0; d < DIM; d++) {
            double rest =
                (double)c->vectors[id * DIM + d] - x[d] + (double)from[d] - (double)m->rows[row * DIM + d];
            sum += rest * rest;
        }
        best = sum < best ? sum : best;
    }
    return own - best;
}

/* Greedy codes leave more than 2 % to be gained so. */
static void hardly_an_rq_code_could_be_better(void **state)
{
    (void)state;
    struct coding *c = coding_create();
    code(c, LEARN_RQ, 64, 4);
    double gain = 0.0;
    for (uint32_t i = 0; i < N_IDS; i++)
        gain += sqrt(c->counts[i] + 1.0) * best_gain(c, i);
    assert_true(gain >= 0.0 && gain < 0.002 * distortion(c));
    coding_destroy(c);
}

/* The last codebook was updated last: its rows are the weighted means of what the others leave. */
static void rows_of_the_last_rq_book_are_means_of_what_is_left(void **state)
{
    (void)state;
    struct coding *c = coding_create();
    code(c, LEARN_RQ, 60, 3);
    const struct id_mapping *m = &c->mapping;
    for (uint32_t row = 2 * m->n_book_rows; row < m->n_rows; row++) {
        double rest[DIM] = {0};
        for (uint32_t i = 0; i < N_IDS; i++) {
            double x[DIM];
            if (m->rows_of[i * 3 + 2] != row)
                continue;
            embed(m, i, x);
            for (uint32_t d = 0; d < DIM; d++)
                rest[d] += sqrt(c->counts[i] + 1.0) * ((double)c->vectors[i * DIM + d] - x[d]);
        }
        for (uint32_t d = 0; d < DIM; d++)
            assert_true(fabs(rest[d]) < 1e-2);
    }
    coding_destroy(c);
}

static void threads_do_not_change_codes(void **state)
{
    (void)state;
    const enum learn_method methods[] = {LEARN_RQ, LEARN_PQ};
    for (int k = 0; k < 2; k++) {
        struct coding *one = coding_create(), *three = coding_create();
        assert_int_equal(code_ids(one, methods[k], 60, 3, 1), COLLIDE_OK);
        assert_int_equal(code_ids(three, methods[k], 60, 3, 3), COLLIDE_OK);
        assert_memory_equal(one->mapping.rows_of, three->mapping.rows_of,
                            N_IDS * 3 * sizeof *one->mapping.rows_of);
        coding_destroy(one);
        coding_destroy(three);
    }
}

static void fewer_rows_than_books_are_refused(void **state)
{
    (void)state;
    struct coding *c = coding_create();
    assert_int_equal(code_ids(c, LEARN_RQ, 3, 4, 1), COLLIDE_INVALID);
    assert_int_equal(code_ids(c, LEARN_PQ, 8, 5, 1), COLLIDE_INVALID); /* 12 values in five parts */
    coding_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lookup_stays_in_its_book),
        cmocka_unit_test(rq_finds_planted_sums),
        cmocka_unit_test(pq_finds_planted_parts),
        cmocka_unit_test(books_come_closer_than_one_list_of_rows),
        cmocka_unit_test(hardly_an_rq_code_could_be_better),
        cmocka_unit_test(rows_of_the_last_rq_book_are_means_of_what_is_left),
        cmocka_unit_test(threads_do_not_change_codes),
        cmocka_unit_test(fewer_rows_than_books_are_refused),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
