/* Clustered compositional embeddings (Tsang and Ahle 2023), clustered once: of each part, half of the rows
 * are the centroids of the teacher's vectors and an id's first row is its own; the second is hashed into the
 * other half and starts as the mean of what the centroids leave of the ids that share it. */
#include "base/error.h"
#include "base/rng.h"
#include "learn/map/hashing.h"
#include "learn/map/id_mapping.h"
#include "learn/map/kmeans.h"
#include "learn/train/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_PASSES = 5 };

struct cce {
    const struct mapping_problem *problem;
    struct id_mapping *mapping;
    uint32_t part_rows;   /* those of one part, centroids first */
    uint32_t n_centroids; /* at least half of them */
    float *points;        /* (n_ids, width) the part's */
    float *weights;       /* (n_ids) */
    float *masses;        /* (part_rows - n_centroids): weights that share a row */
    uint32_t *assignment; /* (n_ids) */
};

static enum collide_status cluster_part(struct cce *c, uint32_t part, struct collide_error *err)
{
    const struct mapping_problem *p = c->problem;
    const uint32_t width = c->mapping->width;
    struct rng rng = rng_seeded(p->seed, part);
    double inertia[N_PASSES];
    for (size_t i = 0; i < p->n_ids; i++)
        memcpy(c->points + i * width, p->vectors + i * p->dim + (size_t)part * width,
               width * sizeof *c->points);
    struct kmeans_problem clustering = {.points = c->points,
                                        .weights = c->weights,
                                        .n_points = p->n_ids,
                                        .n_clusters = c->n_centroids,
                                        .dim = width,
                                        .n_passes = N_PASSES,
                                        .seed = rng_u64(&rng)};
    float *centroids = c->mapping->rows + (size_t)part * c->part_rows * width;
    return kmeans_fit(&clustering, p->team, c->assignment, centroids, inertia, err);
}

/* The second rows, and where both are. */
static void hash_part(struct cce *c, uint32_t part)
{
    const struct mapping_problem *p = c->problem;
    const struct id_mapping *m = c->mapping;
    const size_t width = m->width;
    const uint32_t n_hashed = c->part_rows - c->n_centroids;
    const struct hash_family family = {p->seed, m->n_parts, n_hashed};
    const uint32_t first = part * c->part_rows, first_hashed = first + c->n_centroids;
    memset(m->rows + first_hashed * width, 0, n_hashed * width * sizeof *m->rows);
    memset(c->masses, 0, n_hashed * sizeof *c->masses);
    for (size_t i = 0; i < p->n_ids; i++) {
        uint32_t *rows_of = m->rows_of + i * m->n_lookups + 2 * (size_t)part;
        uint32_t hashed = hash_row(&family, p->dense_ids[i], part);
        rows_of[0] = first + c->assignment[i];
        rows_of[1] = first_hashed + hashed;
        float *mean = m->rows + rows_of[1] * width;
        vector_add_scaled(c->weights[i], c->points + i * width, mean, width);
        vector_add_scaled(-c->weights[i], m->rows + rows_of[0] * width, mean, width);
        c->masses[hashed] += c->weights[i];
    }
    for (size_t k = 0; k < n_hashed; k++)
        if (c->masses[k] > 0.0f)
            vector_scale(1.0f / c->masses[k], m->rows + (first_hashed + k) * width, width);
}

enum collide_status map_cce(const struct mapping_problem *problem, struct id_mapping *mapping,
                            struct collide_error *err)
{
    if (problem->n_rows < 2)
        return error_set(err, COLLIDE_INVALID, "1 row for cce, which has two tables; give at least 2");
    enum collide_status status = COLLIDE_OK;
    struct cce c = {.problem = problem, .mapping = mapping, .part_rows = problem->n_rows};
    c.n_centroids = c.part_rows - c.part_rows / 2;
    c.points = malloc((size_t)problem->n_ids * mapping->width * sizeof *c.points);
    c.weights = malloc(problem->n_ids * sizeof *c.weights);
    c.masses = malloc(c.part_rows * sizeof *c.masses);
    c.assignment = malloc(problem->n_ids * sizeof *c.assignment);
    if (!c.points || !c.weights || !c.masses || !c.assignment) {
        status = error_no_memory(err, "the parts of cce");
        goto out;
    }
    for (uint32_t i = 0; i < problem->n_ids; i++)
        c.weights[i] = sqrtf((float)problem->counts[i] + 1.0f);
    for (uint32_t part = 0; status == COLLIDE_OK && part < mapping->n_parts; part++) {
        status = cluster_part(&c, part, err);
        if (status == COLLIDE_OK)
            hash_part(&c, part);
    }
out:
    free(c.points);
    free(c.weights);
    free(c.masses);
    free(c.assignment);
    return status;
}
