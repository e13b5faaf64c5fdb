#include "base/log.h"
#include "base/rng.h"
#include "learn/map/kmeans.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Gaussian blobs around well-separated centres, with weights from 0.5 to 2. */
struct blobs {
    uint32_t n_points, n_blobs, dim;
    float *points;
    float *weights;
};

static void blobs_create(struct blobs *b, double spread, uint64_t seed)
{
    struct rng rng = rng_seeded(seed, 0);
    b->points = malloc(b->n_points * b->dim * sizeof *b->points);
    b->weights = malloc(b->n_points * sizeof *b->weights);
    assert_true(b->points && b->weights);
    for (uint32_t i = 0; i < b->n_points; i++) {
        uint32_t blob = i % b->n_blobs;
        b->weights[i] = (float)(0.5 + 1.5 * rng_double(&rng));
        for (uint32_t d = 0; d < b->dim; d++) {
            double centre = d == blob % b->dim ? 10.0 * (1.0 + blob / b->dim) : 0.0;
            b->points[i * b->dim + d] = (float)(centre + spread * rng_normal(&rng));
        }
    }
}

static void blobs_free(struct blobs *b)
{
    free(b->points);
    free(b->weights);
}

struct fit {
    uint32_t *assignment;
    float *centroids;
    double inertia[20];
};

static void fit_create(struct fit *f, const struct kmeans_problem *p, unsigned n_threads)
{
    struct parallel *team = fixture_team(n_threads);
    f->assignment = malloc(p->n_points * sizeof *f->assignment);
    f->centroids = malloc(p->n_clusters * p->dim * sizeof *f->centroids);
    assert_true(f->assignment && f->centroids && p->n_passes <= 20);
    assert_int_equal(kmeans_fit(p, team, f->assignment, f->centroids, f->inertia, NULL), COLLIDE_OK);
    parallel_destroy(team);
}

static void fit_free(struct fit *f)
{
    free(f->assignment);
    free(f->centroids);
}

static struct kmeans_problem problem_of(const struct blobs *b, uint32_t n_clusters, uint32_t n_passes)
{
    return (struct kmeans_problem){b->points, b->weights, b->n_points, n_clusters,
                                   b->dim,    n_passes,   7,           KMEANS_FLAT};
}

static double squared_distance(const float *x, const float *y, uint32_t dim)
{
    double sum = 0.0;
    for (uint32_t d = 0; d < dim; d++)
        sum += ((double)x[d] - (double)y[d]) * ((double)x[d] - (double)y[d]);
    return sum;
}

static void inertia_never_rises_and_is_the_weighted_squared_distance(void **state)
{
    (void)state;
    struct blobs b = {.n_points = 1500, .n_blobs = 40, .dim = 7};
    struct fit f;
    blobs_create(&b, 2.0, 1);
    struct kmeans_problem p = problem_of(&b, 60, 20);
    fit_create(&f, &p, 2);
    for (uint32_t i = 1; i < p.n_passes; i++)
        assert_true(f.inertia[i] <= f.inertia[i - 1] * (1.0 + 1e-5));
    /* The last update cannot have raised what the last assignment had. */
    double inertia = 0.0;
    for (uint32_t i = 0; i < p.n_points; i++)
        inertia += (double)b.weights[i] *
                   squared_distance(b.points + i * b.dim, f.centroids + f.assignment[i] * b.dim, b.dim);
    assert_true(inertia <= f.inertia[p.n_passes - 1] * (1.0 + 1e-5));
    assert_true(inertia >= f.inertia[p.n_passes - 1] * 0.98);
    fit_free(&f);
    blobs_free(&b);
}

/* One pass assigns to points as they were drawn: nearest among all, checked by brute force through the
 * centroids of a converged run, whose last update moved nothing any more. */
static void points_go_to_the_nearest_centroid(void **state)
{
    (void)state;
    struct blobs b = {.n_points = 1300, .n_blobs = 9, .dim = 3};
    struct fit f;
    blobs_create(&b, 0.3, 2);
    struct kmeans_problem p = problem_of(&b, 9, 20);
    fit_create(&f, &p, 1);
    for (uint32_t i = 0; i < p.n_points; i++) {
        double own = squared_distance(b.points + i * b.dim, f.centroids + f.assignment[i] * b.dim, b.dim);
        for (uint32_t c = 0; c < p.n_clusters; c++)
            assert_true(own <= squared_distance(b.points + i * b.dim, f.centroids + c * b.dim, b.dim) + 1e-3);
    }
    fit_free(&f);
    blobs_free(&b);
}

/* More clusters than blobs: every blob gets at least one to itself, and no cluster spans two. */
static void separated_blobs_are_recovered(void **state)
{
    (void)state;
    struct blobs b = {.n_points = 600, .n_blobs = 12, .dim = 12};
    struct fit f;
    blobs_create(&b, 0.05, 3);
    struct kmeans_problem p = problem_of(&b, 40, 5);
    fit_create(&f, &p, 2);
    uint32_t blob_of_cluster[40];
    memset(blob_of_cluster, 0xff, sizeof blob_of_cluster);
    for (uint32_t i = 0; i < p.n_points; i++) {
        uint32_t *blob = &blob_of_cluster[f.assignment[i]];
        if (*blob == UINT32_MAX)
            *blob = i % b.n_blobs;
        assert_int_equal(*blob, i % b.n_blobs);
    }
    fit_free(&f);
    blobs_free(&b);
}

static void more_centroids_than_a_block_are_all_used(void **state)
{
    (void)state;
    struct blobs b = {.n_points = 2500, .n_blobs = 2500, .dim = 4};
    struct fit f;
    blobs_create(&b, 1.0, 4);
    struct kmeans_problem p = problem_of(&b, 1500, 3);
    fit_create(&f, &p, 2);
    unsigned *sizes = calloc(p.n_clusters, sizeof *sizes);
    assert_non_null(sizes);
    for (uint32_t i = 0; i < p.n_points; i++)
        sizes[f.assignment[i]]++;
    for (uint32_t c = 0; c < p.n_clusters; c++)
        assert_true(sizes[c] > 0);
    free(sizes);
    fit_free(&f);
    blobs_free(&b);
}

/* Two distinct places for five clusters: three must stay empty, and nothing may become infinite or NaN. */
static void fewer_distinct_points_than_clusters_are_fine(void **state)
{
    (void)state;
    float points[20], weights[10];
    for (int i = 0; i < 10; i++) {
        points[2 * i] = i < 4 ? 1.0f : -2.0f;
        points[2 * i + 1] = 0.5f;
        weights[i] = 1.0f;
    }
    struct kmeans_problem p = {points, weights, 10, 5, 2, 4, 8, KMEANS_FLAT};
    struct fit f;
    fit_create(&f, &p, 2);
    for (int i = 0; i < 10; i++)
        assert_true(squared_distance(points + 2 * i, f.centroids + 2 * f.assignment[i], 2) < 1e-10);
    for (int i = 0; i < 10; i++)
        assert_true(isfinite(f.centroids[i]));
    fit_free(&f);
}

static void heavy_points_pull_the_centroid(void **state)
{
    (void)state;
    const float points[] = {0.0f, 1.0f}, weights[] = {3.0f, 1.0f};
    struct kmeans_problem p = {points, weights, 2, 1, 1, 1, 9, KMEANS_FLAT};
    struct fit f;
    fit_create(&f, &p, 1);
    assert_true(fabs((double)f.centroids[0] - 0.25) < 1e-6);
    fit_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inertia_never_rises_and_is_the_weighted_squared_distance),
        cmocka_unit_test(points_go_to_the_nearest_centroid),
        cmocka_unit_test(separated_blobs_are_recovered),
        cmocka_unit_test(more_centroids_than_a_block_are_all_used),
        cmocka_unit_test(fewer_distinct_points_than_clusters_are_fine),
        cmocka_unit_test(heavy_points_pull_the_centroid),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
