/* Balanced label propagation (BACO, Jiang, Yang and Wu 2026, arXiv 2604.18351): nodes of a bipartite graph
 * take, one after the other, the label of most neighbours, less what makes labels heavy. It climbs
 *
 *     sum over labels l of  edges within l - balance * (weight of ids in l) * (weight of partners in l)
 */
#ifndef LEARN_LABEL_PROPAGATION_H
#define LEARN_LABEL_PROPAGATION_H

#include "learn/map/bipartite.h"

/* All borrowed. */
struct propagation_problem {
    const struct bipartite *graph;
    const double *weights; /* (n_nodes) >= 0 */
    uint32_t n_passes;     /* at most */
    uint64_t seed;         /* of the orders of nodes, a new one each pass */
};

struct propagation;

/* Borrows what the problem does. Returns owned. */
enum collide_status propagation_create(const struct propagation_problem *problem, struct propagation **out,
                                       struct collide_error *err);
void propagation_destroy(struct propagation *p);

/* From a label a node: passes over all nodes until one changes nothing or there are no more than n_enough
 * labels of ids. Returns how many there are. */
uint32_t propagation_run(struct propagation *p, double balance, uint32_t n_enough);

/* (n_nodes) of the last run, each below n_nodes; borrowed. Nodes without neighbours share one, a side. */
const uint32_t *propagation_labels(const struct propagation *p);

/* The label that the id would take if it had not the one it has, among its neighbours' labels that ids have;
 * its own if there is no other. */
uint32_t propagation_second_label(struct propagation *p, uint32_t id);

#endif
