#include "base/log.h"
#include "base/rng.h"
#include "learn/map/kmeans.h"
#include "learn/map/nearest.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Normal points around centres that are normal themselves; no centres: around 0. */
struct cloud {
    uint32_t n_points, dim, n_centres;
    double spread;
    float *points;
    float *weights;
};

static void cloud_create(struct cloud *c, uint64_t seed)
{
    struct rng rng = rng_seeded(seed, 0);
    float *centres = calloc((c->n_centres + 1ull) * c->dim, sizeof *centres);
    c->points = malloc((size_t)c->n_points * c->dim * sizeof *c->points);
    c->weights = malloc(c->n_points * sizeof *c->weights);
    assert_true(centres && c->points && c->weights);
    for (uint32_t k = 0; k < c->n_centres * c->dim; k++)
        centres[k] = (float)rng_normal(&rng);
    for (uint32_t i = 0; i < c->n_points; i++) {
        uint64_t centre = c->n_centres ? rng_below(&rng, c->n_centres) : 0;
        c->weights[i] = (float)(0.5 + 1.5 * rng_double(&rng));
        for (uint32_t d = 0; d < c->dim; d++)
            c->points[i * c->dim + d] = centres[centre * c->dim + d] + (float)(c->spread * rng_normal(&rng));
    }
    free(centres);
}

static void cloud_free(struct cloud *c)
{
    free(c->points);
    free(c->weights);
}

enum { N_PASSES = 6 };

struct fit {
    uint32_t *assignment;
    float *centroids;
    double inertia[N_PASSES];
    uint64_t n_distances;
};

static void fit_create(struct fit *f, const struct cloud *c, uint32_t n_clusters, enum kmeans_search search,
                       unsigned n_threads)
{
    struct parallel *team = fixture_team(n_threads);
    struct kmeans_problem p = {c->points, c->weights, c->n_points, n_clusters, c->dim, N_PASSES, 7, search};
    struct kmeans *k = NULL;
    f->assignment = calloc(c->n_points, sizeof *f->assignment);
    f->centroids = malloc((size_t)n_clusters * c->dim * sizeof *f->centroids);
    assert_true(f->assignment && f->centroids);
    assert_int_equal(kmeans_create(&p, team, &k, NULL), COLLIDE_OK);
    kmeans_take_points(k);
    kmeans_draw(k, 7, f->centroids);
    for (int i = 0; i < N_PASSES; i++)
        f->inertia[i] = kmeans_pass(k, f->assignment, f->centroids);
    f->n_distances = kmeans_n_distances(k);
    kmeans_destroy(k);
    parallel_destroy(team);
}

static void fit_free(struct fit *f)
{
    free(f->assignment);
    free(f->centroids);
}

static double squared_distance(const float *x, const float *y, uint32_t dim)
{
    double sum = 0.0;
    for (uint32_t d = 0; d < dim; d++)
        sum += ((double)x[d] - (double)y[d]) * ((double)x[d] - (double)y[d]);
    return sum;
}

static double inertia_of(const struct cloud *c, const struct fit *f)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < c->n_points; i++)
        sum += (double)c->weights[i] *
               squared_distance(c->points + i * c->dim, f->centroids + f->assignment[i] * c->dim, c->dim);
    return sum;
}

/* Clusters of their own for the points of a mixture, of one that overlaps, and of no structure at all, which
 * is the hardest: cells cut through everything. */
static void inertia_is_near_that_of_looking_at_all(void **state)
{
    (void)state;
    const struct {
        struct cloud cloud;
        double most;
    } cases[] = {{{6000, 32, 100, 0.2, NULL, NULL}, 1.02},
                 {{6000, 16, 30, 1.0, NULL, NULL}, 1.02},
                 {{6000, 3, 0, 1.0, NULL, NULL}, 1.02},
                 {{6000, 48, 0, 1.0, NULL, NULL}, 1.04}};
    for (int k = 0; k < 4; k++) {
        struct cloud c = cases[k].cloud;
        struct fit flat, cells;
        cloud_create(&c, 1);
        fit_create(&flat, &c, 1000, KMEANS_FLAT, 1);
        fit_create(&cells, &c, 1000, KMEANS_CELLS, 1);
        assert_true(inertia_of(&c, &cells) <= cases[k].most * inertia_of(&c, &flat));
        assert_true(cells.n_distances < flat.n_distances / 2);
        fit_free(&flat);
        fit_free(&cells);
        cloud_free(&c);
    }
}

static void inertia_never_rises_and_is_the_weighted_squared_distance(void **state)
{
    (void)state;
    struct cloud c = {.n_points = 3000, .dim = 5, .n_centres = 40, .spread = 0.7};
    struct fit f;
    cloud_create(&c, 2);
    fit_create(&f, &c, 300, KMEANS_CELLS, 1);
    for (int i = 1; i < N_PASSES; i++)
        assert_true(f.inertia[i] <= f.inertia[i - 1] * (1.0 + 1e-5));
    /* The last update cannot have raised what the last assignment had. */
    double inertia = inertia_of(&c, &f);
    assert_true(inertia <= f.inertia[N_PASSES - 1] * (1.0 + 1e-5));
    assert_true(inertia >= f.inertia[N_PASSES - 1] * 0.97);
    fit_free(&f);
    cloud_free(&c);
}

/* Four times the clusters: twice the distances a point, with some slack for cells of uneven sizes. */
static void distances_grow_with_the_root_of_the_clusters(void **state)
{
    (void)state;
    struct cloud c = {.n_points = 16000, .dim = 8, .n_centres = 50, .spread = 0.5};
    uint64_t n_distances[3];
    cloud_create(&c, 3);
    for (int k = 0; k < 3; k++) {
        struct fit f;
        fit_create(&f, &c, 256u << 2 * k, KMEANS_CELLS, 1);
        n_distances[k] = f.n_distances;
        fit_free(&f);
    }
    for (int k = 1; k < 3; k++)
        assert_true((double)n_distances[k] < 2.5 * (double)n_distances[k - 1]);
    assert_true(n_distances[2] < (uint64_t)N_PASSES * c.n_points * 4096 / 8);
    cloud_free(&c);
}

static uint32_t n_used(const struct cloud *c, const struct fit *f, uint32_t n_clusters)
{
    bool *is_used = calloc(n_clusters, sizeof *is_used);
    uint32_t n = 0;
    assert_non_null(is_used);
    for (uint32_t i = 0; i < c->n_points; i++) {
        assert_true(f->assignment[i] < n_clusters);
        n += !is_used[f->assignment[i]];
        is_used[f->assignment[i]] = true;
    }
    free(is_used);
    return n;
}

/* Two thirds of the points lie in one place, and clusters start there too: they have to move. */
static void every_cluster_is_used_if_points_differ_enough(void **state)
{
    (void)state;
    struct cloud c = {.n_points = 3000, .dim = 6, .n_centres = 5, .spread = 0.3};
    struct fit f;
    cloud_create(&c, 4);
    for (uint32_t i = 0; i < 2000; i++)
        memcpy(c.points + i * c.dim, c.points, c.dim * sizeof(float));
    fit_create(&f, &c, 900, KMEANS_CELLS, 3);
    assert_int_equal(n_used(&c, &f, 900), 900);
    fit_free(&f);
    cloud_free(&c);
}

static void fewer_distinct_points_than_clusters_are_fine(void **state)
{
    (void)state;
    struct cloud c = {.n_points = 400, .dim = 4, .n_centres = 0, .spread = 1.0};
    struct fit f;
    cloud_create(&c, 5);
    for (uint32_t i = 0; i < c.n_points; i++)
        memcpy(c.points + i * c.dim, c.points + i % 7 * c.dim, c.dim * sizeof(float));
    fit_create(&f, &c, 60, KMEANS_CELLS, 2);
    /* A mean of equal points may be off by its rounding, and another cluster then takes one of them. */
    assert_true(n_used(&c, &f, 60) >= 7);
    assert_true(inertia_of(&c, &f) < 1e-6);
    for (uint32_t k = 0; k < 60 * c.dim; k++)
        assert_true(isfinite(f.centroids[k]));
    fit_free(&f);
    cloud_free(&c);
}

static void as_few_clusters_as_one_are_fine(void **state)
{
    (void)state;
    for (uint32_t n_clusters = 1; n_clusters < 12; n_clusters++) {
        struct cloud c = {.n_points = 50, .dim = 3, .n_centres = 0, .spread = 1.0};
        struct fit flat, cells;
        cloud_create(&c, 6);
        fit_create(&flat, &c, n_clusters, KMEANS_FLAT, 1);
        fit_create(&cells, &c, n_clusters, KMEANS_CELLS, 1);
        /* With no more cells than a point looks into, nothing is overlooked. */
        if (n_clusters <= 8)
            assert_memory_equal(flat.assignment, cells.assignment, c.n_points * sizeof *flat.assignment);
        assert_int_equal(n_used(&c, &cells, n_clusters), n_clusters);
        fit_free(&flat);
        fit_free(&cells);
        cloud_free(&c);
    }
}

static void same_input_gives_the_same_clusters(void **state)
{
    (void)state;
    struct cloud c = {.n_points = 5000, .dim = 16, .n_centres = 60, .spread = 0.5};
    struct fit a, b, one;
    cloud_create(&c, 8);
    fit_create(&a, &c, 500, KMEANS_CELLS, 3);
    fit_create(&b, &c, 500, KMEANS_CELLS, 3);
    fit_create(&one, &c, 500, KMEANS_CELLS, 1);
    assert_memory_equal(a.assignment, b.assignment, c.n_points * sizeof *a.assignment);
    assert_memory_equal(a.centroids, b.centroids, 500 * c.dim * sizeof *a.centroids);
    /* Products over other blocks round otherwise, and now and then a point is as near to two. */
    assert_true(fabs(inertia_of(&c, &one) / inertia_of(&c, &a) - 1.0) < 1e-3);
    fit_free(&a);
    fit_free(&b);
    fit_free(&one);
    cloud_free(&c);
}

/* Against sorting by distance. More centroids than a block of scores holds. */
static void several_nearest_are_nearest_first(void **state)
{
    (void)state;
    enum { DIM = 3, N_POINTS = 20, N_CENTROIDS = 1500, N_KEPT = 5, STRIDE = 23 };
    static float half_norms[N_CENTROIDS], scores[NEAREST_SCORES], best[N_POINTS * N_KEPT];
    struct cloud points = {.n_points = N_POINTS, .dim = DIM, .spread = 1.0};
    struct cloud centroids = {.n_points = N_CENTROIDS, .dim = DIM, .spread = 1.0};
    uint32_t which[N_KEPT * STRIDE];
    cloud_create(&points, 9);
    cloud_create(&centroids, 10);
    nearest_half_norms(centroids.points, DIM, 0, N_CENTROIDS, half_norms);
    const struct centroids list = {centroids.points, half_norms, N_CENTROIDS, DIM};
    const struct kept kept = {N_KEPT, STRIDE, which};
    nearest_several(&list, points.points, N_POINTS, scores, best, &kept);
    for (uint32_t i = 0; i < N_POINTS; i++) {
        for (uint32_t k = 0; k < N_KEPT; k++) {
            const float *at = centroids.points + which[k * STRIDE + i] * DIM;
            double own = squared_distance(points.points + i * DIM, at, DIM);
            uint32_t n_nearer = 0;
            for (uint32_t c = 0; c < N_CENTROIDS; c++)
                n_nearer +=
                    squared_distance(points.points + i * DIM, centroids.points + c * DIM, DIM) < own - 1e-5;
            assert_true(n_nearer <= k);
            for (uint32_t other = 0; other < k; other++)
                assert_true(which[other * STRIDE + i] != which[k * STRIDE + i]);
        }
    }
    cloud_free(&points);
    cloud_free(&centroids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inertia_is_near_that_of_looking_at_all),
        cmocka_unit_test(inertia_never_rises_and_is_the_weighted_squared_distance),
        cmocka_unit_test(distances_grow_with_the_root_of_the_clusters),
        cmocka_unit_test(every_cluster_is_used_if_points_differ_enough),
        cmocka_unit_test(fewer_distinct_points_than_clusters_are_fine),
        cmocka_unit_test(as_few_clusters_as_one_are_fine),
        cmocka_unit_test(same_input_gives_the_same_clusters),
        cmocka_unit_test(several_nearest_are_nearest_first),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
