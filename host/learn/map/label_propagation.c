#include "learn/map/label_propagation.h"

#include "base/error.h"
#include "learn/map/label_tally.h"
#include "learn/map/visit_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct propagation {
    struct propagation_problem problem;
    double balance;
    uint32_t *labels;  /* (n_nodes) */
    double *volume[2]; /* (n_nodes) by label: weight of its nodes of a side */
    uint32_t *n_ids;   /* (n_nodes) by label: its ids */
    uint32_t n_labels; /* that have ids */
    uint32_t *order;   /* (n_nodes) */
    struct label_tally tally;
};

enum collide_status propagation_create(const struct propagation_problem *problem, struct propagation **out,
                                       struct collide_error *err)
{
    const uint32_t n_nodes = problem->graph->nodes.n_rows;
    const size_t n = n_nodes + 1ull;
    struct propagation *p = calloc(1, sizeof *p);
    if (!p)
        return error_no_memory(err, "label propagation");
    p->problem = *problem;
    p->labels = malloc(n * sizeof *p->labels);
    p->volume[SIDE_IDS] = malloc(n * sizeof(double));
    p->volume[SIDE_PARTNERS] = malloc(n * sizeof(double));
    p->n_ids = malloc(n * sizeof *p->n_ids);
    p->order = malloc(n * sizeof *p->order);
    bool has_tally = label_tally_create(&p->tally, n_nodes);
    if (!p->labels || !p->volume[SIDE_IDS] || !p->volume[SIDE_PARTNERS] || !p->n_ids || !p->order ||
        !has_tally) {
        propagation_destroy(p);
        return error_no_memory(err, "label propagation");
    }
    *out = p;
    return COLLIDE_OK;
}

void propagation_destroy(struct propagation *p)
{
    if (!p)
        return;
    label_tally_free(&p->tally);
    free(p->order);
    free(p->n_ids);
    free(p->volume[SIDE_PARTNERS]);
    free(p->volume[SIDE_IDS]);
    free(p->labels);
    free(p);
}

static void put(struct propagation *p, uint32_t node, uint32_t label)
{
    enum side side = bipartite_side(p->problem.graph, node);
    p->labels[node] = label;
    p->volume[side][label] += p->problem.weights[node];
    if (side == SIDE_IDS)
        p->n_labels += p->n_ids[label]++ == 0;
}

static void take(struct propagation *p, uint32_t node)
{
    enum side side = bipartite_side(p->problem.graph, node);
    uint32_t label = p->labels[node];
    p->volume[side][label] -= p->problem.weights[node];
    if (side == SIDE_IDS)
        p->n_labels -= --p->n_ids[label] == 0;
}

static void start(struct propagation *p)
{
    const uint32_t n_nodes = p->problem.graph->nodes.n_rows;
    memset(p->volume[SIDE_IDS], 0, n_nodes * sizeof(double));
    memset(p->volume[SIDE_PARTNERS], 0, n_nodes * sizeof(double));
    memset(p->n_ids, 0, n_nodes * sizeof *p->n_ids);
    p->n_labels = 0;
    bipartite_label_alone(p->problem.graph, p->labels);
    for (uint32_t node = 0; node < n_nodes; node++)
        put(p, node, p->labels[node]);
}

static void tally_neighbours(struct propagation *p, uint32_t node)
{
    const struct csr *nodes = &p->problem.graph->nodes;
    label_tally_clear(&p->tally);
    for (uint64_t k = nodes->offsets[node]; k < nodes->offsets[node + 1]; k++)
        label_tally_add(&p->tally, p->labels[nodes->values[k]], 1.0);
}

/* What the objective has of a node of this side and weight in the label. */
static double share(const struct propagation *p, uint32_t node, uint32_t label)
{
    enum side opposite = bipartite_side(p->problem.graph, node) == SIDE_IDS ? SIDE_PARTNERS : SIDE_IDS;
    return p->tally.sums[label] - p->balance * p->problem.weights[node] * p->volume[opposite][label];
}

/* Stays where it is unless another label is better. */
static uint32_t best_label(struct propagation *p, uint32_t node)
{
    tally_neighbours(p, node);
    uint32_t best = p->labels[node];
    double most = share(p, node, best);
    for (uint32_t k = 0; k < p->tally.n_touched; k++) {
        double s = share(p, node, p->tally.touched[k]);
        if (s > most) {
            most = s;
            best = p->tally.touched[k];
        }
    }
    return best;
}

/* Whether anything changed. */
static bool pass(struct propagation *p, uint32_t n_enough)
{
    const uint32_t n_nodes = p->problem.graph->nodes.n_rows;
    bool has_changed = false;
    for (uint32_t k = 0; k < n_nodes && p->n_labels > n_enough; k++) {
        uint32_t node = p->order[k], label = best_label(p, node);
        if (label == p->labels[node])
            continue;
        take(p, node);
        put(p, node, label);
        has_changed = true;
    }
    return has_changed;
}

uint32_t propagation_run(struct propagation *p, double balance, uint32_t n_enough)
{
    struct rng rng = rng_seeded(p->problem.seed, 0);
    p->balance = balance;
    start(p);
    for (uint32_t k = 0; k < p->problem.n_passes; k++) {
        visit_order(p->order, p->problem.graph->nodes.n_rows, &rng);
        if (!pass(p, n_enough))
            break;
    }
    return p->n_labels;
}

const uint32_t *propagation_labels(const struct propagation *p)
{
    return p->labels;
}

uint32_t propagation_second_label(struct propagation *p, uint32_t id)
{
    tally_neighbours(p, id);
    uint32_t first = p->labels[id], best = first;
    double most = -INFINITY;
    for (uint32_t k = 0; k < p->tally.n_touched; k++) {
        uint32_t label = p->tally.touched[k];
        double s = share(p, id, label);
        if (label != first && p->n_ids[label] > 0 && s > most) {
            most = s;
            best = label;
        }
    }
    return best;
}
