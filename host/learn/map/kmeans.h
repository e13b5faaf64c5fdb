/* Weighted k-means (Lloyd 1982), its assignments by blocked matrix products. */
#ifndef LEARN_KMEANS_H
#define LEARN_KMEANS_H

#include "base/parallel.h"

#include <stdint.h>

struct kmeans_problem {
    const float *points;  /* (n_points, dim) borrowed */
    const float *weights; /* (n_points) positive, borrowed */
    uint32_t n_points;
    uint32_t n_clusters; /* 1 .. n_points */
    uint32_t dim;
    uint32_t n_passes; /* kmeans_fit: of assignment and update; at least 1 */
    uint64_t seed;     /* kmeans_fit */
};

/* Writes assignment: (n_points), centroids: (n_clusters, dim) and inertia: (n_passes), the sum of
 * weight * squared distance at each pass's assignment, which never rises but for rounding. Every centroid is
 * the weighted mean of what is assigned to it. It starts from distinct points drawn by weight; a cluster left
 * empty takes the point that adds most to the inertia, and stays empty (its centroid where it was) only if
 * all points coincide with their centroids. Memory is linear in points and clusters; a pass takes n_points *
 * n_clusters * dim steps. The same on any number of threads, up to the rounding of the products. */
enum collide_status kmeans_fit(const struct kmeans_problem *problem, struct parallel *team,
                               uint32_t *assignment, float *centroids, double *inertia,
                               struct collide_error *err);

/* The same in steps, for those who change the points or take turns between several sets of centroids. */
struct kmeans;

/* Borrows the problem's points and weights until kmeans_destroy; the points' values may change between
 * passes. Returns owned. */
enum collide_status kmeans_create(const struct kmeans_problem *problem, struct parallel *team,
                                  struct kmeans **out, struct collide_error *err);
void kmeans_destroy(struct kmeans *k);

/* Centroids: distinct points, drawn by weight. */
void kmeans_draw(struct kmeans *k, uint64_t seed, float *centroids);

/* One assignment to the centroids as they are, one update of them; gives the inertia in between. */
double kmeans_pass(struct kmeans *k, uint32_t *assignment, float *centroids);

#endif
