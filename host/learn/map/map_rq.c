/* A vector is a sum of rows, one of each codebook. The first coding is greedy: each codebook is the k-means
 * of what those before it leave (Chen 2010). Rounds of improvement then take the codebooks in turn: each id's
 * code is chosen anew given its other codes (iterated conditional modes, as in additive quantisation,
 * Babenko 2014), and rows become the means of what is left for them. In all but the last rounds, codes are
 * chosen with rows slightly off, less and less, which leads out of poor codings (stochastic relaxation,
 * Martinez 2018). */
#include "base/error.h"
#include "base/progress.h"
#include "base/rng.h"
#include "learn/map/id_mapping.h"
#include "learn/map/id_weights.h"
#include "learn/map/kmeans.h"
#include "learn/train/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_PASSES = 5, N_ROUNDS = 20, N_SHAKEN_ROUNDS = 16 };

/* How far rows are put off in the first round, in standard deviations of what greedy codes leave. */
static const double SHAKE = 0.25;

struct residual_codes {
    const struct mapping_problem *problem;
    struct id_mapping *mapping;
    struct kmeans *kmeans;
    float *weights;   /* (n_ids) */
    float *residuals; /* (n_ids, dim): vectors less their rows of the codebooks coded so far */
    uint32_t *codes;  /* (n_lookups, n_ids): rows of each codebook */
    uint32_t lookup;  /* whose rows add_rows adds */
    float sign;       /* or, with -1, takes away */
};

static float *book_of(const struct residual_codes *c, uint32_t lookup)
{
    return c->mapping->rows + (size_t)lookup * c->mapping->n_book_rows * c->mapping->width;
}

static uint32_t *codes_of(const struct residual_codes *c, uint32_t lookup)
{
    return c->codes + (size_t)lookup * c->problem->n_ids;
}

static void add_rows(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    const struct residual_codes *c = context;
    const size_t dim = c->problem->dim;
    const float *book = book_of(c, c->lookup);
    const uint32_t *codes = codes_of(c, c->lookup);
    for (size_t i = begin; i < end; i++)
        vector_add_scaled(c->sign, book + codes[i] * dim, c->residuals + i * dim, dim);
}

static void put_back(struct residual_codes *c, uint32_t lookup)
{
    c->lookup = lookup;
    c->sign = 1.0f;
    parallel_for(c->problem->team, c->problem->n_ids, add_rows, c);
}

static void take_away(struct residual_codes *c, uint32_t lookup)
{
    c->lookup = lookup;
    c->sign = -1.0f;
    parallel_for(c->problem->team, c->problem->n_ids, add_rows, c);
}

static void code_greedily(struct residual_codes *c, struct progress *progress)
{
    for (uint32_t l = 0; l < c->mapping->n_lookups; l++) {
        kmeans_take_points(c->kmeans);
        kmeans_draw(c->kmeans, c->problem->seed + l, book_of(c, l));
        for (int i = 0; i < N_PASSES; i++) {
            kmeans_pass(c->kmeans, codes_of(c, l), book_of(c, l));
            progress_update(progress, progress->done + 1, NULL);
        }
        take_away(c, l);
    }
}

static double deviation(const struct residual_codes *c)
{
    const size_t dim = c->problem->dim;
    double sum = 0.0;
    for (size_t i = 0; i < c->problem->n_ids; i++)
        sum += (double)vector_dot(c->residuals + i * dim, c->residuals + i * dim, dim);
    return sqrt(sum / ((double)c->problem->n_ids * (double)dim));
}

static void shake(const struct residual_codes *c, uint32_t lookup, double distance, struct rng *rng)
{
    float *book = book_of(c, lookup);
    for (size_t k = 0; k < (size_t)c->mapping->n_book_rows * c->mapping->width; k++)
        book[k] += (float)(distance * rng_normal(rng));
}

static void improve(struct residual_codes *c, struct progress *progress)
{
    const double farthest = SHAKE * deviation(c);
    struct rng rng = rng_seeded(c->problem->seed, 1);
    for (int round = 0; round < N_ROUNDS; round++) {
        for (uint32_t l = 0; l < c->mapping->n_lookups; l++) {
            put_back(c, l);
            kmeans_take_points(c->kmeans);
            if (round < N_SHAKEN_ROUNDS)
                shake(c, l, farthest * sqrt(1.0 - (double)round / N_SHAKEN_ROUNDS), &rng);
            kmeans_pass(c->kmeans, codes_of(c, l), book_of(c, l));
            take_away(c, l);
            progress_update(progress, progress->done + 1, NULL);
        }
    }
}

static void code_ids(struct residual_codes *c)
{
    struct id_mapping *m = c->mapping;
    struct progress progress;
    progress_begin(&progress, "residual codes", (uint64_t)m->n_lookups * (N_PASSES + N_ROUNDS));
    memcpy(c->residuals, c->problem->vectors, (size_t)m->n_ids * m->width * sizeof *c->residuals);
    code_greedily(c, &progress);
    if (m->n_lookups > 1)
        improve(c, &progress);
    progress_end(&progress);
    for (uint32_t l = 0; l < m->n_lookups; l++)
        for (size_t i = 0; i < m->n_ids; i++)
            m->rows_of[i * m->n_lookups + l] = l * m->n_book_rows + codes_of(c, l)[i];
}

enum collide_status map_rq(const struct mapping_problem *problem, struct id_mapping *mapping,
                           struct collide_error *err)
{
    struct residual_codes c = {.problem = problem, .mapping = mapping};
    enum collide_status status = COLLIDE_OK;
    c.weights = malloc(problem->n_ids * sizeof *c.weights);
    c.residuals = malloc((size_t)problem->n_ids * problem->dim * sizeof *c.residuals);
    c.codes = calloc((size_t)problem->n_ids * mapping->n_lookups, sizeof *c.codes);
    if (!c.weights || !c.residuals || !c.codes) {
        status = error_no_memory(err, "residual codes");
        goto out;
    }
    id_weights(problem, c.weights);
    struct kmeans_problem clustering = {.points = c.residuals,
                                        .weights = c.weights,
                                        .n_points = problem->n_ids,
                                        .n_clusters = mapping->n_book_rows,
                                        .dim = problem->dim,
                                        .seed = problem->seed};
    status = kmeans_create(&clustering, problem->team, &c.kmeans, err);
    if (status == COLLIDE_OK)
        code_ids(&c);
out:
    kmeans_destroy(c.kmeans);
    free(c.weights);
    free(c.residuals);
    free(c.codes);
    return status;
}
