#include "learn/map/kmeans.h"

#include "base/error.h"
#include "base/progress.h"
#include "base/rng.h"
#include "learn/map/kmeans_cells.h"
#include "learn/map/nearest.h"
#include "learn/train/vector.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double MOST_FLAT_STEPS = 1e10;

struct kmeans {
    struct kmeans_problem problem;
    struct parallel *team;
    uint32_t *assignment;       /* (n_points) the caller's, during a pass */
    float *centroids;           /* (n_clusters, dim) the caller's, likewise */
    struct kmeans_cells *cells; /* NULL: flat */
    float *half_norms;          /* (n_clusters): |c|^2 / 2 */
    float *costs;               /* (n_points): weight * squared distance to the centroid assigned */
    float *best;                /* (n_points): <x, c> - |c|^2 / 2 of the centroid assigned */
    float *scores;              /* (n_threads, NEAREST_SCORES), flat only */
    uint32_t *sizes;            /* (n_clusters + 1): points of each cluster, then where its members end */
    uint32_t *members;          /* (n_points) by cluster, each cluster's in increasing order */
    struct ranked *ranked;      /* (n_points) */
    uint64_t n_distances;       /* of flat passes */
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
    nearest_half_norms(k->centroids, k->problem.dim, begin, end, k->half_norms);
}

static struct centroids centroids_of(const struct kmeans *k)
{
    return (struct centroids){k->centroids, k->half_norms, k->problem.n_clusters, k->problem.dim};
}

static void look_at_all(void *context, unsigned thread, size_t begin, size_t end)
{
    struct kmeans *k = context;
    const struct centroids list = centroids_of(k);
    for (size_t i = begin; i < end; i++)
        k->best[i] = -INFINITY;
    for (size_t first = begin; first < end; first += NEAREST_POINTS) {
        uint32_t n = (uint32_t)(end - first < NEAREST_POINTS ? end - first : NEAREST_POINTS);
        nearest_among(&list, point_at(k, first), n, k->scores + (size_t)thread * NEAREST_SCORES,
                      k->best + first, k->assignment + first);
    }
}

static void measure_costs(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct kmeans *k = context;
    const struct kmeans_problem *p = &k->problem;
    for (size_t i = begin; i < end; i++) {
        float distance = vector_dot(point_at(k, i), point_at(k, i), p->dim) - 2.0f * k->best[i];
        k->costs[i] = distance > 0.0f ? distance * p->weights[i] : 0.0f;
    }
}

static void assign(struct kmeans *k)
{
    const struct kmeans_problem *p = &k->problem;
    const struct centroids list = centroids_of(k);
    parallel_for(k->team, p->n_clusters, measure_centroids, k);
    if (k->cells) {
        kmeans_cells_assign(k->cells, &list, k->assignment, k->best);
    } else {
        parallel_for(k->team, p->n_points, look_at_all, k);
        k->n_distances += (uint64_t)p->n_points * p->n_clusters;
    }
    parallel_for(k->team, p->n_points, measure_costs, k);
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
    assign(k);
    for (uint32_t i = 0; i < p->n_points; i++)
        inertia += (double)k->costs[i];
    fill_empty(k);
    sort_members(k);
    parallel_for(k->team, p->n_clusters, average_clusters, k);
    return inertia;
}

void kmeans_take_points(struct kmeans *k)
{
    if (k->cells)
        kmeans_cells_place(k->cells);
}

uint64_t kmeans_n_distances(const struct kmeans *k)
{
    return k->n_distances + (k->cells ? kmeans_cells_n_distances(k->cells) : 0);
}

static bool is_flat(const struct kmeans_problem *p)
{
    double n_steps = (double)p->n_points * (double)p->n_clusters * (double)p->dim;
    return p->search == KMEANS_FLAT || (p->search == KMEANS_BY_SIZE && n_steps <= MOST_FLAT_STEPS);
}

static enum collide_status allocate(struct kmeans *k, struct collide_error *err)
{
    const size_t n_points = k->problem.n_points, n_clusters = k->problem.n_clusters;
    const size_t n_scores = (size_t)parallel_n_threads(k->team) * NEAREST_SCORES;
    k->half_norms = malloc(n_clusters * sizeof *k->half_norms);
    k->costs = malloc(n_points * sizeof *k->costs);
    k->best = malloc(n_points * sizeof *k->best);
    k->scores = is_flat(&k->problem) ? malloc(n_scores * sizeof *k->scores) : NULL;
    k->sizes = malloc((n_clusters + 1) * sizeof *k->sizes);
    k->members = malloc(n_points * sizeof *k->members);
    k->ranked = malloc(n_points * sizeof *k->ranked);
    if (!k->half_norms || !k->costs || !k->best || (is_flat(&k->problem) && !k->scores) || !k->sizes ||
        !k->members || !k->ranked)
        return error_no_memory(err, "k-means");
    return COLLIDE_OK;
}

enum collide_status kmeans_create(const struct kmeans_problem *problem, struct parallel *team,
                                  struct kmeans **out, struct collide_error *err)
{
    struct kmeans *k = calloc(1, sizeof *k);
    if (!k)
        return error_no_memory(err, "k-means");
    *k = (struct kmeans){.problem = *problem, .team = team};
    enum collide_status status = allocate(k, err);
    if (status == COLLIDE_OK && !is_flat(problem))
        status = kmeans_cells_create(problem, team, &k->cells, err);
    if (status == COLLIDE_OK)
        *out = k;
    else
        kmeans_destroy(k);
    return status;
}

void kmeans_destroy(struct kmeans *k)
{
    if (!k)
        return;
    kmeans_cells_destroy(k->cells);
    free(k->half_norms);
    free(k->costs);
    free(k->best);
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
    kmeans_take_points(k);
    kmeans_draw(k, problem->seed, centroids);
    for (uint32_t i = 0; i < problem->n_passes; i++) {
        inertia[i] = kmeans_pass(k, assignment, centroids);
        progress_update(&progress, i + 1, NULL);
    }
    progress_end(&progress);
    kmeans_destroy(k);
    return COLLIDE_OK;
}
