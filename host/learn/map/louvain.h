/* Communities of a bipartite graph by modularity (Barber 2007), by Louvain's method (Blondel 2008): nodes
 * move to the community that gains most, communities become nodes, and so on; or by Leiden's (Traag 2019),
 * where parts of communities become nodes, so that what is hardly connected may come apart again.
 *
 *     Q = sum over communities c of  edges(c) / m - resolution * volume_ids(c) * volume_partners(c) / m^2
 *
 * m: edges; volumes: sums of degrees. The higher the resolution, the more communities. */
#ifndef LEARN_LOUVAIN_H
#define LEARN_LOUVAIN_H

#include "learn/map/bipartite.h"

/* Sums of degrees, by side. */
struct volumes {
    double ids;
    double partners;
};

/* What Q gains, times m, when a node that is alone, or a community as a whole, joins a community with so many
 * edges between the two. */
static inline double modularity_gain(double n_edges_between, struct volumes joining, struct volumes community,
                                     double resolution_per_edge)
{
    return n_edges_between -
           resolution_per_edge * (joining.ids * community.partners + joining.partners * community.ids);
}

enum refinement { REFINEMENT_NONE, REFINEMENT_LEIDEN };

struct louvain_problem {
    const struct bipartite *graph; /* borrowed */
    double resolution;             /* >= 0 */
    enum refinement refinement;
    uint64_t seed; /* of the orders in which nodes are visited */
};

/* labels: (n_nodes), the caller's; below *n_labels. Nodes without neighbours share one, a side. The same
 * problem has the same labels. */
enum collide_status louvain_fit(const struct louvain_problem *problem, uint32_t *labels, uint32_t *n_labels,
                                struct collide_error *err);

#endif
