#include "learn/map/kmeans.h"

#include "base/error.h"
#include "base/progress.h"
#include "base/rng.h"
#include "learn/train/vector.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One block of scores, 128 points by 1024 centroids, stays in a core's second-level cache. */
enum { BLOCK_POINTS = 128, BLOCK_CENTROIDS = 1024 };

struct kmeans {
    struct kmeans_problem problem;
    struct parallel *team;
    uint32_t *assignment;  /* (n_points) the caller's, during a pass */
    float *centroids;      /* (n_clusters, dim) the caller's, likewise */
    float *half_norms;     /* (n_clusters): |c|^2 / 2 */
    float *costs;          /* (n_points): weight * squared distance to the centroid assigned */
    float *scores;         /* (n_threads, BLOCK_POINTS, BLOCK_CENTROIDS) */
    uint32_t *sizes;       /* (n_clusters + 1): points of each cluster, then where its members end */
    uint32_t *members;     /* (n_points) by cluster, each cluster's in increasing order */
    struct ranked *ranked; /* (n_points) */
};

struct ranked {
    double key;
    uint32_t point;
};

static int smaller_key_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->point > y->point) - (x->point < y->point);
}

static const float *point_at(const struct kmeans *k, size_t point)
{
    return k->problem.points + point * k->problem.dim;
}

static float *centroid_at(struct kmeans *k, size_t cluster)
{
    return k->centroids + cluster * k->problem.dim;
}

/* Distinct points with chances by weight: those with the smallest of exponential draws at rate weight
 * (Efraimidis and Spirakis 2006). */
void kmeans_draw(struct kmeans *k, uint64_t seed, float *centroids)
{
    const struct kmeans_problem *p = &k->problem;
    struct rng rng = rng_seeded(seed, 0);
    for (uint32_t i = 0; i < p->n_points; i++)
        k->ranked[i] = (struct ranked){-log(1.0 - rng_double(&rng)) / (double)p->weights[i], i};
    qsort(k->ranked, p->n_points, sizeof *k->ranked, smaller_key_first);
    for (uint32_t c = 0; c < p->n_clusters; c++)
        memcpy(centroids + (size_t)c * p->dim, point_at(k, k->ranked[c].point), p->dim * sizeof(float));
}

static void measure_centroids(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct kmeans *k = context;
    for (size_t c = begin; c < end; c++)
        k->half_norms[c] = 0.5f * vector_dot(centroid_at(k, c), centroid_at(k, c), k->problem.dim);
}

/* The nearest centroid has the largest <x, c> - |c|^2 / 2. */
static void assign_block(struct kmeans *k, float *scores, size_t first, int n)
{
    const struct kmeans_problem *p = &k->problem;
    const int dim = (int)p->dim;
    float best[BLOCK_POINTS];
    for (int i = 0; i < n; i++)
        best[i] = -INFINITY;
    for (uint32_t c = 0; c < p->n_clusters; c += BLOCK_CENTROIDS) {
        int m = (int)(p->n_clusters - c < BLOCK_CENTROIDS ? p->n_clusters - c : BLOCK_CENTROIDS);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, dim, 1.0f, point_at(k, first), dim,
                    centroid_at(k, c), dim, 0.0f, scores, m);
        for (int i = 0; i < n; i++) {
            size_t nearest =
                vector_argmax_above(scores + (size_t)i * (size_t)m, k->half_norms + c, (size_t)m, &best[i]);
            if (nearest < (size_t)m)
                k->assignment[first + (size_t)i] = c + (uint32_t)nearest;
        }
    }
    for (int i = 0; i < n; i++) {
        const float *x = point_at(k, first + (size_t)i);
        float distance = vector_dot(x, x, p->dim) - 2.0f * best[i];
        k->costs[first + (size_t)i] = distance > 0.0f ? distance * p->weights[first + (size_t)i] : 0.0f;
    }
}

static void assign_points(void *context, unsigned thread, size_t begin, size_t end)
{
    struct kmeans *k = context;
    float *scores = k->scores + (size_t)thread * BLOCK_POINTS * BLOCK_CENTROIDS;
    for (size_t first = begin; first < end; first += BLOCK_POINTS)
        assign_block(k, scores, first, (int)(end - first < BLOCK_POINTS ? end - first : BLOCK_POINTS));
}

/* Each empty cluster takes the costliest point that is left. */
static void fill_empty(struct kmeans *k)
{
    const struct kmeans_problem *p = &k->problem;
    uint32_t n_empty = 0, next = 0;
    memset(k->sizes, 0, (p->n_clusters + 1ull) * sizeof *k->sizes);
    for (uint32_t i = 0; i < p->n_points; i++)
        k->sizes[k->assignment[i]]++;
    for (uint32_t c = 0; c < p->n_clusters; c++)
        n_empty += k->sizes[c] == 0;
    if (n_empty == 0)
        return;
    for (uint32_t i = 0; i < p->n_points; i++)
        k->ranked[i] = (struct ranked){-(double)k->costs[i], i};
    qsort(k->ranked, p->n_points, sizeof *k->ranked, smaller_key_first);
    for (uint32_t c = 0; c < p->n_clusters; c++) {
        if (k->sizes[c] > 0)
            continue;
        while (next < p->n_points && k->sizes[k->assignment[k->ranked[next].point]] < 2)
            next++;
        if (next == p->n_points || !(k->ranked[next].key < 0.0))
            return;
        uint32_t point = k->ranked[next++].point;
        k->sizes[k->assignment[point]]--;
        k->assignment[point] = c;
        k->sizes[c] = 1;
    }
}

/* Sorts points by cluster; afterwards cluster c's members are members[sizes[c - 1] .. sizes[c]). */
static void sort_members(struct kmeans *k)
{
    const struct kmeans_problem *p = &k->problem;
    uint32_t begin = 0;
    for (uint32_t c = 0; c < p->n_clusters; c++) {
        uint32_t size = k->sizes[c];
        k->sizes[c] = begin;
        begin += size;
    }
    for (uint32_t i = 0; i < p->n_points; i++)
        k->members[k->sizes[k->assignment[i]]++] = i;
}

static void average_clusters(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct kmeans *k = context;
    const struct kmeans_problem *p = &k->problem;
    for (size_t c = begin; c < end; c++) {
        uint32_t from = c ? k->sizes[c - 1] : 0, to = k->sizes[c];
        if (from == to)
            continue;
        float *centroid = centroid_at(k, c), total = 0.0f;
        memset(centroid, 0, p->dim * sizeof *centroid);
        for (uint32_t j = from; j < to; j++) {
            float weight = p->weights[k->members[j]];
            vector_add_scaled(weight, point_at(k, k->members[j]), centroid, p->dim);
            total += weight;
        }
        vector_scale(1.0f / total, centroid, p->dim);
    }
}

double kmeans_pass(struct kmeans *k, uint32_t *assignment, float *centroids)
{
    const struct kmeans_problem *p = &k->problem;
    double inertia = 0.0;
    k->assignment = assignment;
    k->centroids = centroids;
    parallel_for(k->team, p->n_clusters, measure_centroids, k);
    parallel_for(k->team, p->n_points, assign_points, k);
    for (uint32_t i = 0; i < p->n_points; i++)
        inertia += (double)k->costs[i];
    fill_empty(k);
    sort_members(k);
    parallel_for(k->team, p->n_clusters, average_clusters, k);
    return inertia;
}

enum collide_status kmeans_create(const struct kmeans_problem *problem, struct parallel *team,
                                  struct kmeans **out, struct collide_error *err)
{
    const size_t n_points = problem->n_points, n_clusters = problem->n_clusters;
    struct kmeans *k = calloc(1, sizeof *k);
    if (!k)
        return error_no_memory(err, "k-means");
    *k = (struct kmeans){.problem = *problem, .team = team};
    k->half_norms = malloc(n_clusters * sizeof *k->half_norms);
    k->costs = malloc(n_points * sizeof *k->costs);
    k->scores = malloc((size_t)parallel_n_threads(team) * BLOCK_POINTS * BLOCK_CENTROIDS * sizeof *k->scores);
    k->sizes = malloc((n_clusters + 1) * sizeof *k->sizes);
    k->members = malloc(n_points * sizeof *k->members);
    k->ranked = malloc(n_points * sizeof *k->ranked);
    if (!k->half_norms || !k->costs || !k->scores || !k->sizes || !k->members || !k->ranked) {
        kmeans_destroy(k);
        return error_no_memory(err, "k-means");
    }
    *out = k;
    return COLLIDE_OK;
}

void kmeans_destroy(struct kmeans *k)
{
    if (!k)
        return;
    free(k->half_norms);
    free(k->costs);
    free(k->scores);
    free(k->sizes);
    free(k->members);
    free(k->ranked);
    free(k);
}

enum collide_status kmeans_fit(const struct kmeans_problem *problem, struct parallel *team,
                               uint32_t *assignment, float *centroids, double *inertia,
                               struct collide_error *err)
{
    struct kmeans *k;
    struct progress progress;
    enum collide_status status = kmeans_create(problem, team, &k, err);
    if (status != COLLIDE_OK)
        return status;
    memset(assignment, 0, problem->n_points * sizeof *assignment);
    progress_begin(&progress, "k-means", problem->n_passes);
    kmeans_draw(k, problem->seed, centroids);
    for (uint32_t i = 0; i < problem->n_passes; i++) {
        inertia[i] = kmeans_pass(k, assignment, centroids);
        progress_update(&progress, i + 1, NULL);
    }
    progress_end(&progress);
    kmeans_destroy(k);
    return COLLIDE_OK;
}
