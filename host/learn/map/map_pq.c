/* Vectors are cut into parts; those whose parts are alike share the part's row. */
#include "base/error.h"
#include "base/progress.h"
#include "learn/map/id_mapping.h"
#include "learn/map/id_weights.h"
#include "learn/map/kmeans.h"

#include <stdlib.h>
#include <string.h>

enum { N_PASSES = 8 };

struct product_codes {
    const struct mapping_problem *problem;
    struct id_mapping *mapping;
    float *weights;  /* (n_ids) */
    float *parts;    /* (n_ids, width): one part of every vector */
    uint32_t *codes; /* (n_ids): the rows of that part */
};

static void take_part(const struct product_codes *c, uint32_t part)
{
    const size_t width = c->mapping->width, dim = c->problem->dim;
    for (size_t i = 0; i < c->problem->n_ids; i++)
        memcpy(c->parts + i * width, c->problem->vectors + i * dim + part * width, width * sizeof(float));
}

static void code_parts(const struct product_codes *c, struct kmeans *kmeans)
{
    struct id_mapping *m = c->mapping;
    struct progress progress;
    progress_begin(&progress, "product codes", (uint64_t)m->n_lookups * N_PASSES);
    for (uint32_t part = 0; part < m->n_lookups; part++) {
        float *book = m->rows + (size_t)part * m->n_book_rows * m->width;
        take_part(c, part);
        kmeans_take_points(kmeans);
        kmeans_draw(kmeans, c->problem->seed + part, book);
        for (uint32_t i = 1; i <= N_PASSES; i++) {
            kmeans_pass(kmeans, c->codes, book);
            progress_update(&progress, part * N_PASSES + i, NULL);
        }
        for (size_t i = 0; i < m->n_ids; i++)
            m->rows_of[i * m->n_lookups + part] = part * m->n_book_rows + c->codes[i];
    }
    progress_end(&progress);
}

enum collide_status map_pq(const struct mapping_problem *problem, struct id_mapping *mapping,
                           struct collide_error *err)
{
    struct product_codes c = {.problem = problem, .mapping = mapping};
    struct kmeans *kmeans = NULL;
    enum collide_status status = COLLIDE_OK;
    c.weights = malloc(problem->n_ids * sizeof *c.weights);
    c.parts = malloc((size_t)problem->n_ids * mapping->width * sizeof *c.parts);
    c.codes = calloc(problem->n_ids, sizeof *c.codes);
    if (!c.weights || !c.parts || !c.codes) {
        status = error_no_memory(err, "product codes");
        goto out;
    }
    id_weights(problem, c.weights);
    struct kmeans_problem clustering = {.points = c.parts,
                                        .weights = c.weights,
                                        .n_points = problem->n_ids,
                                        .n_clusters = mapping->n_book_rows,
                                        .dim = mapping->width,
                                        .seed = problem->seed};
    status = kmeans_create(&clustering, problem->team, &kmeans, err);
    if (status == COLLIDE_OK)
        code_parts(&c, kmeans);
out:
    kmeans_destroy(kmeans);
    free(c.weights);
    free(c.parts);
    free(c.codes);
    return status;
}
