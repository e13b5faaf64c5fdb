/* Weighted k-means (Lloyd 1982), its assignments by blocked matrix products. */
#ifndef LEARN_KMEANS_H
#define LEARN_KMEANS_H

#include "base/parallel.h"

#include <stdint.h>

/* How a point finds its centroid. */
enum kmeans_search {
    KMEANS_BY_SIZE, /* flat where that takes no more than 10^10 steps a pass, else through cells */
    KMEANS_FLAT,    /* looks at all: n_points * n_clusters * dim steps a pass */
    KMEANS_CELLS,   /* at those near by (kmeans_cells.h): some n_points * sqrt(n_clusters) * dim steps */
};

struct kmeans_problem {
    const float *points;  /* (n_points, dim) borrowed */
    const float *weights; /* (n_points) positive, borrowed */
    uint32_t n_points;
    uint32_t n_clusters; /* 1 .. n_points */
    uint32_t dim;
    uint32_t n_passes; /* kmeans_fit: of assignment and update; at least 1 */
    uint64_t seed;
    enum kmeans_search search;
};

/* Writes assignment: (n_points), centroids: (n_clusters, dim) and inertia: (n_passes), the sum of
 * weight * squared distance at each pass's assignment, which never rises but for rounding. Every centroid is
 * the weighted mean of what is assigned to it. It starts from distinct points drawn by weight; a cluster left
 * empty takes the point that adds most to the inertia, and stays empty (its centroid where it was) only if
 * all points coincide with their centroids. Memory is linear in points and clusters. The same on any number
 * of threads, up to the rounding of the products. */
enum collide_status kmeans_fit(const struct kmeans_problem *problem, struct parallel *team,
                               uint32_t *assignment, float *centroids, double *inertia,
                               struct collide_error *err);

/* The same in steps, for those who change the points or take turns between several sets of centroids. */
struct kmeans;

/* Borrows the problem's points and weights until kmeans_destroy. Returns owned; kmeans_take_points comes
 * before the first pass. */
enum collide_status kmeans_create(const struct kmeans_problem *problem, struct parallel *team,
                                  struct kmeans **out, struct collide_error *err);
void kmeans_destroy(struct kmeans *k);

/* To be called once the points have their values, and whenever these have changed. */
void kmeans_take_points(struct kmeans *k);

/* Centroids: distinct points, drawn by weight. */
void kmeans_draw(struct kmeans *k, uint64_t seed, float *centroids);

/* One assignment to the centroids as they are, one update of them; gives the inertia in between. The
 * assignment that a point has, below n_clusters, is one of those it is compared with. */
double kmeans_pass(struct kmeans *k, uint32_t *assignment, float *centroids);

/* Distances computed so far. */
uint64_t kmeans_n_distances(const struct kmeans *k);

#endif
