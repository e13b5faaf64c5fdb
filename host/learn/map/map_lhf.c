/* Ids whose learned vectors are alike share a row; frequent ids weigh more in where the rows lie, and the
 * most frequent may have rows of their own. */
#include "base/error.h"
#include "learn/map/head.h"
#include "learn/map/id_mapping.h"
#include "learn/map/id_weights.h"
#include "learn/map/kmeans.h"
#include "learn/train/vector.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { N_PASSES = 20 };

/* The ids from some rank on, in that order, and where they go. */
struct tail {
    uint32_t n_ids;
    const uint32_t *ids;  /* (n_ids) */
    float *points;        /* (n_ids, dim) */
    float *weights;       /* (n_ids) */
    uint32_t *assignment; /* (n_ids) */
};

/* Whether training moves ids on, by what their partners ask for. */
static bool ids_move(const struct mapping_problem *problem)
{
    return problem->ids_may_move && problem->settings.signals == SIGNALS_BOTH;
}

/* What moves is to start from what training's loss says: a distance costs as often as the id occurs. */
static void weigh(const struct mapping_problem *problem, float *weights)
{
    id_weights(problem, weights);
    for (uint32_t i = 0; ids_move(problem) && i < problem->n_ids; i++)
        weights[i] = (float)problem->counts[i] + 1.0f;
}

static enum collide_status fit(const struct mapping_problem *problem, struct kmeans_problem *clustering,
                               uint32_t *assignment, float *centroids, struct collide_error *err)
{
    double inertia[N_PASSES];
    clustering->dim = problem->dim;
    clustering->n_passes = N_PASSES;
    clustering->seed = problem->seed;
    return kmeans_fit(clustering, problem->team, assignment, centroids, inertia, err);
}

static enum collide_status cluster_all(const struct mapping_problem *problem, const float *weights,
                                       struct id_mapping *mapping, struct collide_error *err)
{
    struct kmeans_problem clustering = {.points = problem->vectors,
                                        .weights = weights,
                                        .n_points = problem->n_ids,
                                        .n_clusters = mapping->n_rows};
    mapping->n_open_rows = ids_move(problem) ? mapping->n_rows : 0;
    return fit(problem, &clustering, mapping->rows_of, mapping->rows, err);
}

static void tail_fill(struct tail *t, const struct mapping_problem *problem, const float *weights)
{
    const size_t dim = problem->dim;
    for (size_t k = 0; k < t->n_ids; k++) {
        memcpy(t->points + k * dim, problem->vectors + t->ids[k] * dim, dim * sizeof(float));
        t->weights[k] = weights[t->ids[k]];
    }
}

/* All but those that have private rows, which come first. */
static enum collide_status cluster_tail(const struct mapping_problem *problem, const float *weights,
                                        const struct head *head, struct id_mapping *mapping,
                                        struct collide_error *err)
{
    const uint32_t n_private = head->n_private;
    const size_t dim = problem->dim;
    struct tail t = {.n_ids = problem->n_ids - n_private, .ids = head->order + n_private};
    enum collide_status status = COLLIDE_OK;
    t.points = malloc(t.n_ids * dim * sizeof *t.points);
    t.weights = malloc(t.n_ids * sizeof *t.weights);
    t.assignment = malloc(t.n_ids * sizeof *t.assignment);
    if (!t.points || !t.weights || !t.assignment) {
        status = error_no_memory(err, "the ids that share rows");
        goto out;
    }
    tail_fill(&t, problem, weights);
    struct kmeans_problem clustering = {.points = t.points,
                                        .weights = t.weights,
                                        .n_points = t.n_ids,
                                        .n_clusters = mapping->n_rows - n_private};
    status = fit(problem, &clustering, t.assignment, mapping->rows + n_private * dim, err);
    for (uint32_t k = 0; status == COLLIDE_OK && k < t.n_ids; k++)
        mapping->rows_of[t.ids[k]] = n_private + t.assignment[k];
out:
    free(t.points);
    free(t.weights);
    free(t.assignment);
    return status;
}

/* By frequency alone, after Zhang 2020: ranks fold, so that no two of like frequency share a row. The shared
 * rows start as the weighted means of their ids' vectors. */
static enum collide_status fold_tail(const struct mapping_problem *problem, const float *weights,
                                     const struct head *head, struct id_mapping *mapping,
                                     struct collide_error *err)
{
    const uint32_t n_private = head->n_private, n_shared = mapping->n_rows - n_private;
    const size_t dim = problem->dim;
    float *totals = calloc(n_shared, sizeof *totals);
    if (!totals)
        return error_no_memory(err, "the rows that ids share");
    memset(mapping->rows + n_private * dim, 0, n_shared * dim * sizeof *mapping->rows);
    for (uint32_t rank = n_private; rank < problem->n_ids; rank++) {
        const uint32_t id = head->order[rank], shared = (rank - n_private) % n_shared;
        mapping->rows_of[id] = n_private + shared;
        vector_add_scaled(weights[id], problem->vectors + id * dim,
                          mapping->rows + (n_private + shared) * dim, dim);
        totals[shared] += weights[id];
    }
    for (size_t s = 0; s < n_shared; s++)
        vector_scale(1.0f / totals[s], mapping->rows + (n_private + s) * dim, dim);
    free(totals);
    return COLLIDE_OK;
}

static enum collide_status share_all_but_the_head(const struct mapping_problem *problem, const float *weights,
                                                  struct id_mapping *mapping, struct collide_error *err)
{
    const size_t dim = problem->dim;
    struct head head;
    enum collide_status status = head_create(problem, &head, err);
    if (status != COLLIDE_OK)
        return status;
    for (uint32_t rank = 0; rank < head.n_private; rank++) {
        mapping->rows_of[head.order[rank]] = rank;
        memcpy(mapping->rows + rank * dim, problem->vectors + head.order[rank] * dim, dim * sizeof(float));
    }
    status = problem->settings.signals == SIGNALS_FREQUENCY
                 ? fold_tail(problem, weights, &head, mapping, err)
                 : cluster_tail(problem, weights, &head, mapping, err);
    mapping->n_open_rows = ids_move(problem) ? mapping->n_rows - head.n_private : 0;
    head_free(&head);
    return status;
}

enum collide_status map_lhf(const struct mapping_problem *problem, struct id_mapping *mapping,
                            struct collide_error *err)
{
    const struct method_settings *settings = &problem->settings;
    const bool has_head = settings->signals == SIGNALS_FREQUENCY || settings->private_share != 0.0f;
    float *weights = malloc(problem->n_ids * sizeof *weights);
    if (!weights)
        return error_no_memory(err, "the weights of ids");
    weigh(problem, weights);
    enum collide_status status = has_head ? share_all_but_the_head(problem, weights, mapping, err)
                                          : cluster_all(problem, weights, mapping, err);
    free(weights);
    return status;
}
