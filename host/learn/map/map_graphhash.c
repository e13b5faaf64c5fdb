/* GraphHash (Wu 2024, arXiv 2412.17245): ids of one community of the graph of users and items share a row;
 * the same with Leiden's communities. */
#include "base/error.h"
#include "learn/map/id_mapping.h"
#include "learn/map/label_rows.h"
#include "learn/map/louvain.h"
#include "learn/map/resolution.h"

#include <stdlib.h>

struct graphhash {
    const struct mapping_problem *problem;
    enum refinement refinement;
    struct bipartite graph;
    uint32_t *labels; /* (n_nodes), ids first */
    uint32_t n_labels;
    uint32_t *row_of_label; /* (n_nodes) */
};

/* The communities that have ids of this side. */
static uint32_t count_labels(const struct graphhash *g)
{
    uint32_t n = 0;
    for (uint32_t label = 0; label < g->n_labels; label++)
        g->row_of_label[label] = 0;
    for (uint32_t i = 0; i < g->problem->n_ids; i++)
        n += g->row_of_label[g->labels[i]]++ == 0;
    return n;
}

static enum collide_status cluster(void *context, double resolution, uint32_t *n_labels,
                                   struct collide_error *err)
{
    struct graphhash *g = context;
    const struct louvain_problem problem = {&g->graph, resolution, g->refinement, g->problem->seed};
    enum collide_status status = louvain_fit(&problem, g->labels, &g->n_labels, err);
    if (status == COLLIDE_OK)
        *n_labels = count_labels(g);
    return status;
}

static enum collide_status cluster_into_rows(struct graphhash *g, struct collide_error *err)
{
    const uint32_t n_rows = g->problem->n_rows;
    const struct resolution_search search = {
        .cluster = cluster, .context = g, .start = n_rows / 16.0, .n_wanted = n_rows, .slack = 0.01};
    double resolution;
    return resolution_find(&search, &resolution, err);
}

static enum collide_status fill(struct graphhash *g, struct id_mapping *mapping, struct collide_error *err)
{
    const struct labelled_ids ids = {g->labels, g->problem->counts, g->problem->n_ids, g->n_labels};
    enum collide_status status = label_rows(&ids, g->row_of_label, &mapping->n_rows, err);
    for (uint32_t i = 0; status == COLLIDE_OK && i < ids.n_ids; i++)
        mapping->rows_of[i] = g->row_of_label[g->labels[i]];
    return status;
}

static enum collide_status map(const struct mapping_problem *problem, enum refinement refinement,
                               struct id_mapping *mapping, struct collide_error *err)
{
    struct graphhash g = {.problem = problem, .refinement = refinement};
    enum collide_status status = bipartite_create(problem->partners, problem->n_partners, &g.graph, err);
    if (status != COLLIDE_OK)
        return status;
    g.labels = malloc(g.graph.nodes.n_rows * sizeof *g.labels);
    g.row_of_label = malloc(g.graph.nodes.n_rows * sizeof *g.row_of_label);
    status = g.labels && g.row_of_label ? cluster_into_rows(&g, err)
                                        : error_no_memory(err, "the rows of communities");
    if (status == COLLIDE_OK)
        status = fill(&g, mapping, err);
    free(g.row_of_label);
    free(g.labels);
    bipartite_free(&g.graph);
    return status;
}

enum collide_status map_graphhash(const struct mapping_problem *problem, struct id_mapping *mapping,
                                  struct collide_error *err)
{
    return map(problem, REFINEMENT_NONE, mapping, err);
}

enum collide_status map_leiden(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err)
{
    return map(problem, REFINEMENT_LEIDEN, mapping, err);
}
