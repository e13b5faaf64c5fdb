/* Scoring points against centroids, a block at a time, by matrix products: the nearest centroid has the
 * largest <x, c> - |c|^2 / 2. */
#ifndef LEARN_NEAREST_H
#define LEARN_NEAREST_H

#include <stddef.h>
#include <stdint.h>

struct centroids {
    const float *rows;       /* (n, dim) borrowed */
    const float *half_norms; /* (n): |c|^2 / 2, borrowed */
    uint32_t n;
    uint32_t dim;
};

/* Floats of scores, 128 points by 1024 centroids: they stay in a core's second-level cache. */
enum { NEAREST_POINTS = 128, NEAREST_CENTROIDS = 1024, NEAREST_SCORES = NEAREST_POINTS * NEAREST_CENTROIDS };

/* For n_points <= NEAREST_POINTS, points: (n_points, dim): where a centroid's score is above best[i], best[i]
 * is raised to the largest and which[i] becomes its index. scores: (NEAREST_SCORES) of work space. */
void nearest_among(const struct centroids *centroids, const float *points, uint32_t n_points, float *scores,
                   float *best, uint32_t *which);

/* The n_kept <= n nearest of each point, nearest first, the lower of equals: kept: (n_kept, n_points) with
 * `stride` between lists. best: (n_points, n_kept) of work space. */
struct kept {
    uint32_t n_kept;
    size_t stride;
    uint32_t *which;
};
void nearest_several(const struct centroids *centroids, const float *points, uint32_t n_points, float *scores,
                     float *best, const struct kept *kept);

/* half_norms[c] = |c|^2 / 2 of centroids begin .. end - 1. */
void nearest_half_norms(const float *rows, uint32_t dim, size_t begin, size_t end, float *half_norms);

#endif
