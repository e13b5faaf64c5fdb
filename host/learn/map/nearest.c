#include "learn/map/nearest.h"

#include "learn/train/vector.h"

#include <cblas.h>
#include <math.h>

/* scores: (n_points, m), the products with centroids first .. first + m - 1; gives m. */
static uint32_t multiply(const struct centroids *c, uint32_t first, const float *points, uint32_t n_points,
                         float *scores)
{
    const int dim = (int)c->dim;
    const uint32_t m = c->n - first < NEAREST_CENTROIDS ? c->n - first : NEAREST_CENTROIDS;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n_points, (int)m, dim, 1.0f, points, dim,
                c->rows + (size_t)first * c->dim, dim, 0.0f, scores, (int)m);
    return m;
}

void nearest_among(const struct centroids *centroids, const float *points, uint32_t n_points, float *scores,
                   float *best, uint32_t *which)
{
    for (uint32_t first = 0; first < centroids->n; first += NEAREST_CENTROIDS) {
        const uint32_t m = multiply(centroids, first, points, n_points, scores);
        for (uint32_t i = 0; i < n_points; i++) {
            size_t nearest =
                vector_argmax_above(scores + (size_t)i * m, centroids->half_norms + first, m, &best[i]);
            if (nearest < m)
                which[i] = first + (uint32_t)nearest;
        }
    }
}

/* Puts a centroid into point i's list, which is sorted, if it is better than the last. */
static void keep(const struct kept *kept, uint32_t i, float *best, float score, uint32_t centroid)
{
    uint32_t k = kept->n_kept - 1;
    if (!(score > best[k]))
        return;
    for (; k > 0 && score > best[k - 1]; k--) {
        best[k] = best[k - 1];
        kept->which[k * kept->stride + i] = kept->which[(k - 1) * kept->stride + i];
    }
    best[k] = score;
    kept->which[k * kept->stride + i] = centroid;
}

void nearest_several(const struct centroids *centroids, const float *points, uint32_t n_points, float *scores,
                     float *best, const struct kept *kept)
{
    for (uint32_t i = 0; i < n_points; i++) {
        for (uint32_t k = 0; k < kept->n_kept; k++) {
            best[(size_t)i * kept->n_kept + k] = -INFINITY;
            kept->which[k * kept->stride + i] = k;
        }
    }
    for (uint32_t first = 0; first < centroids->n; first += NEAREST_CENTROIDS) {
        const uint32_t m = multiply(centroids, first, points, n_points, scores);
        for (uint32_t i = 0; i < n_points; i++)
            for (uint32_t c = 0; c < m; c++)
                keep(kept, i, best + (size_t)i * kept->n_kept,
                     scores[(size_t)i * m + c] - centroids->half_norms[first + c], first + c);
    }
}

void nearest_half_norms(const float *rows, uint32_t dim, size_t begin, size_t end, float *half_norms)
{
    for (size_t c = begin; c < end; c++)
        half_norms[c] = 0.5f * vector_dot(rows + c * dim, rows + c * dim, dim);
}
