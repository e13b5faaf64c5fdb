/* Finding the nearest of many centroids without looking at all: an inverted file (Sivic and Zisserman 2003;
 * as an index of vectors, Jegou 2011). The points are clustered coarsely into cells, each centroid belongs to
 * the cell nearest to it, and a point is compared with the centroids of the few cells nearest to the point.
 * With about sqrt(n_clusters) cells, that many distances a point are enough, times a small constant. */
#ifndef LEARN_KMEANS_CELLS_H
#define LEARN_KMEANS_CELLS_H

#include "learn/map/kmeans.h"
#include "learn/map/nearest.h"

struct kmeans_cells;

/* Borrows the problem's points and weights until kmeans_cells_destroy. Returns owned; kmeans_cells_place
 * comes before the first kmeans_cells_assign. */
enum collide_status kmeans_cells_create(const struct kmeans_problem *problem, struct parallel *team,
                                        struct kmeans_cells **out, struct collide_error *err);
void kmeans_cells_destroy(struct kmeans_cells *cells);

/* Clusters the points, as they are now, into cells. */
void kmeans_cells_place(struct kmeans_cells *cells);

/* Assigns each point to the nearest centroid of its cells, or leaves it where it is, if that is nearer:
 * distances never grow. scores[i] = <x, c> - |c|^2 / 2 of the centroid assigned; assignment, scores:
 * (n_points). */
void kmeans_cells_assign(struct kmeans_cells *cells, const struct centroids *centroids, uint32_t *assignment,
                         float *scores);

/* Distances computed so far, those of placing included. */
uint64_t kmeans_cells_n_distances(const struct kmeans_cells *cells);

#endif
