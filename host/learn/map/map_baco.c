/* BACO (Jiang 2026, arXiv 2604.18351): ids of one balanced co-cluster share a row; users have the row of
 * their second best cluster too. */
#include "base/error.h"
#include "learn/map/id_mapping.h"
#include "learn/map/label_propagation.h"
#include "learn/map/label_rows.h"
#include "learn/map/resolution.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { N_PASSES = 5 };

struct baco {
    const struct mapping_problem *problem;
    struct bipartite graph;
    double *weights; /* (n_nodes) */
    struct propagation *propagation;
    uint32_t *row_of_label; /* (n_nodes) */
};

/* Users: degree / sqrt(interactions); items: degree / sqrt(number of items). */
static void weigh_nodes(struct baco *b)
{
    const struct mapping_problem *problem = b->problem;
    const double user_scale = sqrt((double)bipartite_n_edges(&b->graph));
    const double item_scale =
        sqrt((double)(problem->side == MAPPING_ITEMS ? problem->n_ids : problem->n_partners));
    const enum side items = problem->side == MAPPING_ITEMS ? SIDE_IDS : SIDE_PARTNERS;
    for (uint32_t node = 0; node < b->graph.nodes.n_rows; node++) {
        double degree = (double)bipartite_degree(&b->graph, node);
        double scale = bipartite_side(&b->graph, node) == items ? item_scale : user_scale;
        b->weights[node] = degree > 0.0 ? degree / scale : 0.0;
    }
}

static enum collide_status cluster(void *context, double balance, uint32_t *n_labels,
                                   struct collide_error *err)
{
    (void)err;
    struct baco *b = context;
    *n_labels = propagation_run(b->propagation, balance, 0);
    return COLLIDE_OK;
}

/* With the balance whose passes end just below the rows that there are, it stops as soon as it is there. */
static enum collide_status cluster_into_rows(struct baco *b, struct collide_error *err)
{
    const struct propagation_problem problem = {
        .graph = &b->graph, .weights = b->weights, .n_passes = N_PASSES, .seed = b->problem->seed};
    double balance;
    enum collide_status status = propagation_create(&problem, &b->propagation, err);
    if (status != COLLIDE_OK)
        return status;
    const struct resolution_search search = {
        .cluster = cluster, .context = b, .start = 4.0, .n_wanted = b->problem->n_rows, .slack = 0.05};
    status = resolution_find(&search, &balance, err);
    if (status == COLLIDE_OK)
        propagation_run(b->propagation, balance, b->problem->n_rows);
    return status;
}

static enum collide_status fill(struct baco *b, struct id_mapping *mapping, struct collide_error *err)
{
    const uint32_t *labels = propagation_labels(b->propagation);
    const struct labelled_ids ids = {labels, b->problem->counts, b->problem->n_ids, b->graph.nodes.n_rows};
    enum collide_status status = label_rows(&ids, b->row_of_label, &mapping->n_rows, err);
    for (uint32_t i = 0; status == COLLIDE_OK && i < ids.n_ids; i++) {
        uint32_t *rows = mapping->rows_of + (size_t)i * mapping->n_lookups;
        rows[0] = b->row_of_label[labels[i]];
        if (mapping->n_lookups == 2)
            rows[1] = b->row_of_label[propagation_second_label(b->propagation, i)];
    }
    return status;
}

enum collide_status shape_baco(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err)
{
    if (!problem->settings.n_lookups && problem->side == MAPPING_USERS)
        mapping->n_lookups = 2;
    if (mapping->n_lookups > 2)
        return error_set(err, COLLIDE_INVALID, "baco gives an id one row or two, not %" PRIu32,
                         mapping->n_lookups);
    return COLLIDE_OK;
}

enum collide_status map_baco(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err)
{
    struct baco b = {.problem = problem};
    enum collide_status status = bipartite_create(problem->partners, problem->n_partners, &b.graph, err);
    if (status != COLLIDE_OK)
        return status;
    b.weights = malloc(b.graph.nodes.n_rows * sizeof *b.weights);
    b.row_of_label = malloc(b.graph.nodes.n_rows * sizeof *b.row_of_label);
    if (b.weights && b.row_of_label) {
        weigh_nodes(&b);
        status = cluster_into_rows(&b, err);
    } else {
        status = error_no_memory(err, "baco");
    }
    if (status == COLLIDE_OK)
        status = fill(&b, mapping, err);
    propagation_destroy(b.propagation);
    free(b.row_of_label);
    free(b.weights);
    bipartite_free(&b.graph);
    return status;
}
